# %% json
import json

json.loads("{'a': 1}")
# %% key
settings = {"host": "db"}
print(settings["port"])


# %% attribute-none
def find(name):
    return None


find("model").predict([1])
# %% file-missing
with open("data/train_labels.txt") as file:
    print(file.read())
# %% listdir
import os

os.listdir("/path/to/dataset/stage1_train")
# %% type-add
print("epoch " + 3)
# %% unpack
a, b = [1, 2, 3]
# %% index
rows = []
print(rows[0])
# %% module-missing
import some_project_utils


# %% recursion
def f(n):
    return f(n + 1)


f(0)
# %% unicode
open("x.txt", "wb").write(b"\xff\xfe\xfa")
open("x.txt", encoding="utf-8").read()


# %% generator-running
def rows():
    global it
    next(it)
    yield 1


it = rows()
next(it)
# %% asyncio-running
import asyncio


async def main():
    asyncio.get_event_loop().run_until_complete(asyncio.sleep(0))


asyncio.run(main())
# %% subprocess
import subprocess

subprocess.run(["false"], check=True)
# %% is-a-directory
open(".").read()
# %% socket
import socket

socket.create_connection(("127.0.0.1", 9))
# %% int
int("3.5")


# %% division
def mean(values):
    return sum(values) / len(values)


mean([])
# %% sqlite
import sqlite3

sqlite3.connect(":memory:").execute("SELECT name FROM missing")
# %% argparse
import argparse

parser = argparse.ArgumentParser(prog="convert.py")
parser.add_argument("--input", required=True)
parser.parse_args([])
# %% syntax
exec("print 'hello'")
# %% name
print(undefined_name)
# %% import-name
from collections import OrderedDictionary

# %% zip
import zipfile

open("a.zip", "w").write("no zip")
zipfile.ZipFile("a.zip")
# %% pickle-eof
import pickle

open("a.pkl", "wb").close()
pickle.load(open("a.pkl", "rb"))
# %% csv-float
import csv, io

[float(row[1]) for row in csv.reader(io.StringIO("a,b\n1,x\n"))]
# %% thread
import threading

threading.Thread(target=lambda: None).join()


# %% assertion
def check(batch):
    assert len(batch) == 4, "batch has the wrong size"


check([1, 2])
# %% stop
next(iter([]))
# %% dataclass
from dataclasses import dataclass


@dataclass
class Config:
    width: int
    depth: int


Config(width=3)
# %% chained
try:
    {}["id"]
except KeyError as error:
    raise RuntimeError("could not read the record") from error
