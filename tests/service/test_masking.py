"""What is taken out of a paste before it is kept, and what must stay. No token here is real: each is put together."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kerasdoctor.knowledge.parser import parse
from kerasdoctor.service import masking
from kerasdoctor.service.masking import mask

MIXED = "A1b2C3d4E5f6G7h8I9j0" * 5
HEX = "0a1b2c3d4e5f60718293" * 2
PLAIN = "Hunter2" + "!x"
JWT = ".".join("ey" + "J" + MIXED[:20] for _ in range(2)) + "." + MIXED[:30]
BEGIN, END = (f"-----{word} RSA PRIVATE KEY-----" for word in ("BEGIN", "END"))

TOKENS = {  # each must go wherever it stands
    "aws": "AK" + "IA" + "ABCD1234EFGH5678",
    "github": "gh" + "p_" + MIXED[:36],
    "github-fine": "github" + "_pat_" + MIXED[:60],
    "gitlab": "gl" + "pat-" + MIXED[:20],
    "gitlab-long": "gl" + "pat-" + MIXED[:70],
    "slack": "xo" + "xb-" + "123456789012-123456789012-" + MIXED[:24],
    "slack-hook": "https://hooks.slack" + ".com/services/T" + MIXED[:8] + "/B" + MIXED[:8] + "/" + MIXED[:24],
    "openai": "s" + "k-" + MIXED[:20] + "T3Blbk" + "FJ" + MIXED[:20],
    "openai-project": "s" + "k-proj-" + MIXED[:60],
    "anthropic": "s" + "k-ant-" + MIXED[:60],
    "hugging-face": "h" + "f_" + MIXED[:34],
    "google": "AI" + "za" + MIXED[:35],
    "stripe": "sk" + "_live_" + MIXED[:24],
    "stripe-long": "sk" + "_live_" + MIXED[:90],
    "npm": "np" + "m_" + MIXED[:36],
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + MIXED[:80],
    "sendgrid": "S" + "G." + MIXED[:22] + "." + MIXED[:43],
    "jwt": JWT,
}
SHOWN = [  # what is pasted, and what is left
    (f"password='{PLAIN}'", "password='<secret>'"),
    (f'"password": "{PLAIN} and more"}}', '"password": "<secret>"}'),
    (f'{{\\"db_password\\": \\"{PLAIN}\\"}}', '{\\"db_password\\": \\"<secret>\\"}'),
    (f"export MYSQL_PWD={PLAIN}", "export MYSQL_PWD=<secret>"),
    (f"passwd: {PLAIN}", "passwd: <secret>"),
    ("  password: correcthorse\n", "  password: <secret>\n"),
    (f"host=db password={PLAIN} dbname=x", "host=db password=<secret> dbname=x"),
    (f"train.py --password {PLAIN} --epochs 3", "train.py --password <secret> --epochs 3"),
    (f"--api-key={MIXED}", "--api-key=<secret>"),
    (f'client_secret = f"{PLAIN}"', 'client_secret = f"<secret>"'),
    (f'os.environ["WANDB_API_KEY"] = "{HEX}"', 'os.environ["WANDB_API_KEY"] = "<secret>"'),
    (f"AWS_SECRET_ACCESS_KEY={MIXED[:40]}", "AWS_SECRET_ACCESS_KEY=<secret>"),
    (f"login(token='{MIXED[:30]}')", "login(token='<secret>')"),
    (f"AccountKey={MIXED[:86]}==;EndpointSuffix=x", "AccountKey=<secret>;EndpointSuffix=x"),
    (f"密码：{PLAIN}", "密码：<secret>"),
    (f"我的密码是 {PLAIN}，怎么办", "我的密码是 <secret>，怎么办"),
    (f"Invalid api key: {MIXED[:20]}", "Invalid api key: <secret>"),
    (f"Authorization: Bearer {MIXED}", "Authorization: <secret>"),
    (f'-H "authorization: Basic {MIXED[:20]}"', '-H "authorization: <secret>"'),
    (f"sent Bearer {MIXED}", "sent Bearer <secret>"),
    ("Cookie: sid=abc; csrf=def", "Cookie: <secret>"),
    (f"http://localhost:8888/?token={HEX}", "http://localhost:8888/?token=<secret>"),
    (f"https://x.blob/y?sv=1&sig={MIXED}&se=2", "https://x.blob/y?sv=1&sig=<secret>&se=2"),
    (f"//registry/:_authToken={HEX}", "//registry/:_authToken=<secret>"),
    (f'{{"username":"x","key":"{HEX[:32]}"}}', '{"username":"x","key":"<secret>"}'),
    (f"wandb login {HEX}", "wandb login <secret>"),
    (f"curl -u me:{PLAIN} http://x", "curl -u <secret> http://x"),
    (f"postgres://me:{PLAIN}@db:5432/x", "postgres://<secret>@db:5432/x"),
    (f"mongodb+srv://me:p@{PLAIN}@db/x", "mongodb+srv://<secret>@db/x"),
    (f"pip install git+https://{MIXED}@github.com/x/y", "pip install git+https://<secret>@github.com/x/y"),
    ("mail ada.b@mail.example.com.", "mail <email>."),
    ("邮箱ada@qq.com谢谢", "邮箱<email>谢谢"),
    ("ada@box:~/proj$ python x.py", "<user>@<host>:~/proj$ python x.py"),
    ("(tf) [ada@node1 proj]$ ls", "(tf) [<user>@<host> proj]$ ls"),
    ("ssh -p 22 ada@node1", "ssh -p 22 <user>@<host>"),
    ('File "/home/ada/p/train.py", line 1', 'File "/home/<user>/p/train.py", line 1'),
    ("/home/ada下的文件", "/home/<user>下的文件"),
    ("not in /Users/ada.", "not in /Users/<user>."),
    ("/data/home/ada/x", "/data/home/<user>/x"),
    ("file:///home/ada/x.py", "file:///home/<user>/x.py"),
    ("file:///C:/Users/ada/x.py", "file:///C:/Users/<user>/x.py"),
    ("C:\\Users\\Ada Lovelace\\x.py", "C:\\Users\\<user>\\x.py"),
    ("'C:\\\\Users\\\\ada\\\\x.py'", "'C:\\\\Users\\\\<user>\\\\x.py'"),
    ("c:/users/张三/x.py", "c:/users/<user>/x.py"),
    ("/mnt/c/Users/Ada L/x", "/mnt/c/Users/<user>/x"),
    ("\\\\wsl$\\Ubuntu\\home\\ada\\x", "\\\\wsl$\\Ubuntu\\home\\<user>\\x"),
    ("\\\\srv\\users$\\ada\\x", "\\\\srv\\users$\\<user>\\x"),
    (f"{BEGIN}\nProc-Type: 4,X\n\n{MIXED[:64]}\n{END}\nok", f"{BEGIN}\n<secret>\n\n<secret>\n{END}\nok"),
    (f'"{BEGIN}\\n{MIXED[:64]}\\n{END}\\n"', f'"{BEGIN}<secret>{END}\\n"'),
    (f"{BEGIN}\n{MIXED[:64]}\nTraceback (most", f"{BEGIN}\n<secret>\nTraceback (most"),
]
STAYS = """
@tf.function
y = a @ b + x@w.T
z = x@w.transpose(0, 1) + q@k.io.read
tensorflow==2.21.0 numpy<2.0 keras@3.1.0
pip install git+https://github.com/keras-team/keras.git@v3.1.0
git clone git@github.com:keras-team/keras.git; ssh://git@github.com/x/y
image@sha256:0a1b2c3d4e5f607182930a1b2c3d4e5f607182930a1b2c3d4e5f607182931234
at 0x7f3a1c2b4d50> <keras.src.layers.core.dense.Dense object at 0x7f3a1c2b4d50>
md5 0a1b2c3d4e5f607182930a1b2c3d4e5f file_hash="0a1b2c3d4e5f607182930a1b2c3d4e5f"
sequential_1/batch_normalization_23/gamma:0 (None, 224, 224, 3)
token = tokenizer.word_index; tokens=5, num_tokens=512, pad_token_id=0, tokenizer=tok, max_tokens: 5
token="[CLS]" mask_token: '[MASK]' oov_token="<OOV>" token=embedding_layer_12 eos_token="</s>"
Invalid token: unexpected_identifier_name
KeyError: 'password'
the password is wrong. password: required, forgot my password
api_key=None, secret=os.environ["X"], password=getpass.getpass(), token=os.getenv("HF_TOKEN")
def login(password: str, secret: Optional[str] = None, api_key: bytes = b"")
connect(password=password, api_key=api_key, secret=cfg.secret, token=token) password=${DB_PASSWORD} {{ secret }}
print("Enter password: ") input("password: " + x + "y")
postgres://${USER}:${PASS}@db/x f"https://{user}:{password}@host/x" https://<user>:<password>@x
密码错误，密码是什么？ 令牌：未知
f"Bearer {token}" headers = {"Authorization": f"Bearer {token}"} bearer authentication
https://example.com/home/page /root/x /content/drive/MyDrive /kaggle/working ~/x $HOME/x templates/home/index.html
C:\\Users\\Public\\x /Users/Shared/x /home/ /home/.cache C:\\Users\\<user>\\x
key=jax.random.PRNGKey(0) {"key": "value"} subkey=3 PWD=/content forward_pass=True
docker run -u 1000:1000 10.0.0.1:5000 192.168.1.3
loss: 0.6931 - accuracy: 0.5000 - val_loss: 1.2e-3
task-learning-with-keras sk-learn-contrib-lightning-package
""".strip().splitlines()
FRAGMENTS = [
    *(paste for paste, _ in SHOWN),
    *TOKENS.values(),
    *STAYS,
    *masking._MARKS,  # noqa: SLF001 - what stands in a masked text
    *(
        "password",
        "token",
        "密码",
        "secret",
        "=",
        ": ",
        '"',
        "'",
        "\\",
        '\\"',
        "@",
        "://",
        "/home/",
        "C:\\Users\\",
        "a",
        "1",
        " ",
    ),
    *(
        "\n",
        "\r\n",
        "\u2028",
        "\x85",
        "\x0b",
        ".com",
        ":",
        "/",
        "[",
        "]$ ",
        "--",
        BEGIN,
        END,
        "eyJ",
        "Cookie: a=b",
        "ssh ",
        "\ud800",
    ),
]
PASTES = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join) | st.text()


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
@pytest.mark.parametrize(
    "around", ["{}", "x = '{}'", "login {} failed", "令牌是{}。", "[{}]", "https://host/{}/y", "a={},b"]
)
def test_a_token_goes_wherever_it_stands(token: str, around: str) -> None:
    """No part of a token is left, whatever stands around it."""
    masked = mask(around.format(token))
    assert "<secret>" in masked
    assert not any(token[at : at + 8] in masked for at in range(8, len(token) - 8))


@pytest.mark.parametrize(("paste", "left"), SHOWN, ids=range(len(SHOWN)))
def test_what_is_secret_or_personal_goes(paste: str, left: str) -> None:
    """Passwords, headers, logins in URLs, addresses, prompts and home folders: only they go, the words around stay."""
    assert mask(paste) == left
    assert mask(f"x\n{paste}\ny") == f"x\n{left}\ny"


@pytest.mark.parametrize("line", STAYS, ids=range(len(STAYS)))
def test_what_is_no_secret_stays(line: str) -> None:
    """Code, versions, hashes, addresses, shapes, names of layers, and prose that speaks of passwords stay."""
    assert mask(line) == line


@given(PASTES)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_masking_is_idempotent_and_keeps_the_lines(text: str) -> None:
    """Masking again changes nothing; the number of lines stays; no text raises."""
    masked = mask(text)
    assert mask(masked) == masked
    assert len(masked.splitlines()) == len(text.splitlines())


@pytest.mark.parametrize(
    "folder",
    ["/home/ada/.local/lib", "C:\\Users\\Ada L\\AppData\\Local\\Programs\\Python\\Lib", "/Users/ada/miniforge3/lib"],
)
def test_the_owner_of_a_frame_is_told_without_the_name(folder: str) -> None:
    """A traceback parses as before: paths without the name, the same owners."""
    files = [
        f"{folder}/python3.11/site-packages/{package}/x.py" for package in ("keras/src", "tensorflow/python", "pandas")
    ]
    frames = "\n".join(f'  File "{file}", line 7, in call\n    x()' for file in [*files, "/home/ada/train.py"])
    text = f"Traceback (most recent call last):\n{frames}\nValueError: no"
    owners = [
        [(frame.owner, frame.package, frame.line) for frame in parse(t).raised[0].frames] for t in (text, mask(text))
    ]
    assert owners[0] == owners[1]
    assert [owner for owner, _, _ in owners[1]] == ["keras", "tensorflow", "other", "user"]
    assert not re.search(r"(?i)\bada\b", mask(text))
