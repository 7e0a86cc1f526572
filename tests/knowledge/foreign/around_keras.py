# %% dataset-folder-missing
import keras

keras.utils.image_dataset_from_directory("/data/flowers/train", image_size=(32, 32))
# %% own-generator-key
import keras
import numpy as np

LABELS = {"cat": 0}


class Pictures(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.zeros((1, 4)), np.array([LABELS["dog"]])


model = keras.Sequential([keras.layers.Dense(2)])
model.compile(loss="mse")
model.fit(Pictures(), verbose=0)
# %% own-callback-attribute
import keras
import numpy as np


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.writer.add(epoch, logs)


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=[Report()])
# %% own-layer-name
import keras


class Scale(keras.layers.Layer):
    def call(self, x):
        return x * factor


keras.Sequential([keras.Input((3,)), Scale()])
# %% model-none
import keras


def build(kind):
    if kind == "cnn":
        return keras.Sequential([keras.layers.Dense(1)])


build("rnn").summary()
# %% tf-read-file
import tensorflow as tf

tf.io.read_file("/data/images/0001.png")
# %% tf-data-generator
import tensorflow as tf


def rows():
    yield 1.0 / 0


list(tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((), tf.float32)))
# %% plot-history-key
import keras
import numpy as np

model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
history = model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0)
scores = history.history["f1"]
# %% csv-in-training-script
import keras
import numpy as np

data = np.loadtxt("/home/me/keras-project/train.csv", delimiter=",")
# %% own-loss-name
import keras
import numpy as np


def weighted(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred)) * alpha


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss=weighted)
model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0)
# %% own-generator-index
import keras
import numpy as np

FILES = ["a.npy", "b.npy"]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return np.zeros((2, 3)), np.full((2, 1), len(FILES[index]))


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(Batches(), verbose=0)
# %% own-generator-file
import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.load(f"batches/{index}.npy"), np.zeros((2, 1))


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(Batches(), verbose=0)
# %% own-callback-file
import keras
import numpy as np


class Log(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        with open("/srv/logs/run.txt", "a") as file:
            file.write(str(logs["loss"]))


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=[Log()])
# %% own-callback-json
import json

import keras
import numpy as np


class Log(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(json.dumps({"model": self.model}))


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, callbacks=[Log()])
# %% own-layer-division
import keras


class Ratio(keras.layers.Layer):
    def __init__(self, parts):
        super().__init__()
        self.scale = 1 / parts


keras.Sequential([Ratio(0)])
# %% class-names-json
import json

import keras

model = keras.Sequential([keras.layers.Dense(3)])
names = json.load(open("class_names.json"))
# %% labels-csv-column
import csv
import io

import keras

rows = list(csv.DictReader(io.StringIO("image,class\na.png,cat\n")))
labels = keras.utils.to_categorical([0 if row["label"] == "cat" else 1 for row in rows])
# %% decode-vocabulary
import keras

open("words.txt", "wb").write("caf\u00e9".encode("latin-1"))
layer = keras.layers.TextVectorization(vocabulary=[w.decode("utf-8") for w in open("words.txt", "rb")])
# %% report-with-probabilities
import keras
import numpy as np
from sklearn.metrics import classification_report

model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
print(classification_report([0, 1, 1, 0], model(np.zeros((4, 2))).numpy().ravel()))
# %% split-without-rows
import keras
import numpy as np
from sklearn.model_selection import train_test_split

x, y = np.zeros((0, 4)), np.zeros((0,))
x_train, x_test, y_train, y_test = train_test_split(x, y)
keras.Sequential([keras.layers.Dense(1)]).fit(x_train, y_train)
# %% own-argument
import keras


def build(units, rate):
    return keras.Sequential([keras.layers.Dense(units), keras.layers.Dropout(rate)])


build(32)
# %% own-typo
import keras

model = keras.Sequential([keras.layers.Dense(1)])
model.complie(loss="mse")
# %% own-config-key
import keras

settings = {"units": 32}
keras.layers.Dense(settings["unit"])
# %% own-assert
import keras
import numpy as np


def check(x):
    assert x.max() <= 1, "pictures are not in [0, 1]"


x = np.full((2, 4), 255.0)
check(x)
keras.Sequential([keras.layers.Dense(1)]).predict(x)
# %% own-subprocess
import subprocess

import keras

keras.Sequential([keras.layers.Dense(1)])
subprocess.run(["convert-dataset", "--to", "tfrecord"], check=True)
# %% own-download
import keras
import requests

requests.get("http://127.0.0.1:9/flowers.zip", timeout=2)
keras.utils.image_dataset_from_directory("flowers")
# %% own-environment
import os

import keras

os.environ["DATASET_FOLDER"]
keras.utils.image_dataset_from_directory(os.environ["DATASET_FOLDER"])
# %% own-date
from datetime import datetime

import keras

datetime.strptime("2024-31-12", "%Y-%m-%d")
# %% own-thread
import threading

import keras


def feed(queue):
    queue.append(1)


thread = threading.Thread(target=feed)
thread.start()
thread.join()
feed()
# %% own-none-shape
import keras
import numpy as np


def load(folder):
    pictures = []
    for name in folder:
        pictures.append(np.zeros((4, 4)))


x = load([])
model = keras.Sequential([keras.layers.Flatten()])
print(x.shape)
# %% own-string-number
import keras

epochs = "10"
for epoch in range(epochs):
    pass
# %% dataset-map-own
import tensorflow as tf


def read(path):
    return tf.py_function(lambda p: open(p.numpy()).read(), [path], tf.string)


list(tf.data.Dataset.from_tensor_slices(["/data/a.txt"]).map(read))
# %% tfrecord-missing
import tensorflow as tf

for record in tf.data.TFRecordDataset("/data/train.tfrecord"):
    print(record)
# %% plot-curves
import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
history = model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0, epochs=2)
plt.plot(range(5), history.history["loss"])
