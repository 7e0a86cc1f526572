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
