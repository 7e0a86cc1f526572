# %% torch-shapes
import torch

layer = torch.nn.Linear(10, 4)
layer(torch.zeros(3, 7))
# %% torch-state-dict
import torch

net = torch.nn.Sequential(torch.nn.Linear(3, 2))
net.load_state_dict({"module.0.weight": torch.zeros(2, 3)})
# %% torch-dtype
import torch

torch.nn.Linear(3, 2)(torch.zeros(1, 3, dtype=torch.float64))
# %% torch-grad
import torch

x = torch.ones(3)
x.sum().backward()
# %% torch-inplace
import torch

w = torch.ones(3, requires_grad=True)
w += 1
# %% torch-conv
import torch

torch.nn.Conv2d(3, 8, 3)(torch.zeros(1, 1, 8, 8))
# %% torch-cross-entropy
import torch

torch.nn.functional.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 7]))
# %% torch-cuda
import torch

torch.zeros(2).to("cuda")
# %% torch-dataloader
import torch

loader = torch.utils.data.DataLoader([torch.zeros(2), torch.zeros(3)], batch_size=2)
next(iter(loader))
# %% torch-numpy-grad
import torch

torch.ones(2, requires_grad=True).numpy()
# %% torch-load
import torch

open("weights.pt", "w").write("no weights")
torch.load("weights.pt")
# %% jax-tracer
import jax
import jax.numpy as jnp


@jax.jit
def f(x):
    if x > 0:
        return x
    return -x


f(jnp.float32(1))
# %% jax-shapes
import jax.numpy as jnp

jnp.dot(jnp.ones((2, 3)), jnp.ones((4, 5)))
# %% pandas-key
import pandas as pd

df = pd.DataFrame({"age": [1, 2]})
print(df["Age"])
# %% pandas-merge
import pandas as pd

a, b = pd.DataFrame({"id": [1]}), pd.DataFrame({"key": [1]})
a.merge(b, on="id")
# %% pandas-csv
import pandas as pd

pd.read_csv("data/train.csv")
# %% pandas-parse
import pandas as pd

open("x.csv", "w").write("a,b\n1,2\n1,2,3\n")
pd.read_csv("x.csv")
# %% pandas-length
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3]})
df["b"] = [1, 2]
# %% pandas-date
import pandas as pd

pd.to_datetime(["2024-13-45"])
# %% pandas-loc
import pandas as pd

pd.DataFrame({"a": [1]}).loc[5]
# %% opencv-empty
import cv2

image = cv2.imread("missing.png")
cv2.resize(image, (64, 64))
# %% opencv-color
import cv2
import numpy as np

cv2.cvtColor(np.zeros((4, 4), np.uint8), cv2.COLOR_BGR2GRAY)
# %% pillow-missing
from PIL import Image

Image.open("pictures/cat.jpg")
# %% flask-context
from flask import current_app

print(current_app.config)
# %% flask-route
from flask import Flask

app = Flask(__name__)
app.add_url_rule("/", "home", lambda: "a")
app.add_url_rule("/b", "home", lambda: "b")
# %% django-settings
from django.conf import settings

print(settings.DATABASES)
# %% requests-url
import requests

requests.get("localhost/api")
# %% requests-refused
import requests

requests.get("http://127.0.0.1:9/api/v1/predict")
# %% sqlalchemy-table
import sqlalchemy as sa

engine = sa.create_engine("sqlite://")
with engine.connect() as connection:
    connection.execute(sa.text("SELECT * FROM users"))
# %% sklearn-fitted
from sklearn.linear_model import LogisticRegression

LogisticRegression().predict([[1, 2]])
# %% sklearn-nan
import numpy as np
from sklearn.linear_model import LinearRegression

LinearRegression().fit([[np.nan]], [1])
# %% sklearn-samples
from sklearn.svm import SVC

SVC().fit([[1], [2], [3]], [0, 1])
# %% sklearn-split
from sklearn.model_selection import train_test_split

train_test_split([], [])
# %% sklearn-metrics
from sklearn.metrics import confusion_matrix

confusion_matrix([0, 1, 1], [0.2, 0.7, 0.9])
# %% sklearn-encoder
from sklearn.preprocessing import LabelEncoder

encoder = LabelEncoder().fit(["cat", "dog"])
encoder.transform(["bird"])
# %% lightgbm-label
import lightgbm

lightgbm.LGBMClassifier().fit([[1.0], [2.0]], None)
# %% matplotlib-length
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.plot([1, 2, 3], [1, 2])
# %% transformers-name
from transformers import AutoTokenizer

AutoTokenizer.from_pretrained("./my-own-model")
# %% numpy-broadcast
import numpy as np

np.zeros((3, 4)) + np.zeros((2, 4))
# %% numpy-index
import numpy as np

np.zeros(5)[9]
# %% numpy-linalg
import numpy as np

np.linalg.inv(np.zeros((2, 2)))
# %% numpy-truth
import numpy as np

if np.array([True, False]):
    pass
# %% scipy-optimize
import scipy.optimize

scipy.optimize.brentq(lambda x: x * x + 1, 0, 1)
