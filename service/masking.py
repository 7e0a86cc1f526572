"""Takes secrets and personal paths out of pasted text, before anything is stored, logged or parsed.

What keys look like is known to detect-secrets for the services whose tokens have a fixed beginning. Its other plugins
(JWT, OpenAI, npm, basic authentication: quadratic in hostile text; keyword, entropy: eat layer names, hashes and
shapes) are replaced by the patterns below. Every pattern is linear: it starts at a mark that it cannot contain, or is
bounded, or keeps what it has read (`++`, `{n,}+`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

_SECRET = "<secret>"  # noqa: S105 - what stands in the place of one
_MARKS = (_SECRET, "<user>", "<host>", "<email>")
_BREAKS = r"\r\n\v\f\x1c-\x1e\x85\u2028\u2029"  # where str.splitlines ends a line

_PRIVATE_KEY = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)((?:[^-]|-(?!----))*+)(?=(-----END )?)"
)
_FILLED = re.compile(rf"[^\s{_BREAKS}][^{_BREAKS}]*+")
_KEY_LINE = re.compile(r"[\s>|#'\"]*+(?:[\w-]{1,40}: .*|(?:[A-Za-z0-9+/=]|\\[nr]?){8,}+[\s'\",]*)?")

_NAMED = re.compile(
    r"(?:(?P<sure>pass(?:word|wd|phrase|code)(?![a-z])|(?<![a-z])pwd"
    r"|(?:db|user|mysql|postgres|pg|smtp|mail|redis|ftp|root|admin|login)_?pass(?![a-z])"
    r"|secret(?:[-_]?access)?(?:[-_]?(?:key|value|token))?(?![a-z])|sharedaccesskey"
    r"|(?:api|access|account|auth|private|license|encryption|signing|wandb|kaggle)[-_ ]?(?:api[-_]?)?key(?![a-z])"
    r"|密码|口令|密钥|秘钥)|(?P<maybe>session_?id|token(?![a-z])|令牌))"
    r"(?P<by>[\"'\\\])]{0,4}[ \t]{0,8}(?::?=(?!=)>?|[:：]|是|为)[ \t]{0,8}|[ \t]{1,4}(?=[^-\s]))"
    r"(?:[rbfu]{0,2}(?P<quote>\\?[\"']|“))?",
    re.IGNORECASE,
)
_FLAG = re.compile(r"(?<![\w>-])--[\w-]*$")
_VALUES = {
    '"': re.compile(rf'(?:[^"\\{_BREAKS}]|\\[^{_BREAKS}])*+'),
    "'": re.compile(rf"(?:[^'\\{_BREAKS}]|\\[^{_BREAKS}])*+"),
    '\\"': re.compile(rf'[^"\\{_BREAKS}]*+'),
    "\\'": re.compile(rf"[^'\\{_BREAKS}]*+"),
    "“": re.compile(rf"[^”{_BREAKS}]*+"),
    "": re.compile(r"[!#-%(*+\--:=?-\[^_a-z{~]*+"),
}
_LINE_ENDS = re.compile(rf"[ \t.。]{{0,40}}(?:[{_BREAKS}]|$)")
_SHORTEST = 4  # characters of a password without quotes
_LOOKED_AT = 200  # characters of a value that decide whether it is a secret
_NO_VALUE = re.compile(
    r"none|null|nil|undefined|true|false|yes|no|str|string|int|integer|bytes|bool|float|any|path|tensor|array|object|dict|list"
    r"|optional|required|missing|incorrect|invalid|wrong|empty|unset|hidden|redacted|masked|error|failed|expired|changed"
    r"|unknown|default|needed|protected|not|must|should|is|your.*|my[-_].*|x+|\*+|\.+|-+|_+|…"
    r"|\$\w+|\$[{(].*|%\w+%|%[sdr(].*|\{.*|<[^>]*>|0x[0-9a-f]+|\(.*|\[.*|[a-z_][\w.]*[(\[].*|[a-z_]\w*(?:\.[a-z_]\w*)+",
    re.IGNORECASE,
)
_NAME_OF_SECRET = re.compile(r"[a-z_]{0,40}(?:pw|pass|key|secret|token|cred)[a-z_]{0,40}|[a-z_]{1,3}", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z]*\d{0,4}(?:[_./:-][A-Za-z]*\d{0,4})*+")
_TOKEN = re.compile(r"(?=\D{0,200}\d)[\w.~+/=:-]{16,}", re.ASCII)


def _without_key(match: re.Match[str]) -> str:
    """The block with its lines, each of them masked; of a block that is cut off, what can be a key's."""
    begin, body = match[1], match[2]
    lines = body.splitlines(keepends=True)
    ends = next((at for at, line in enumerate(lines) if not _KEY_LINE.fullmatch(line)), len(lines))
    ends = len(lines) if match[3] else ends
    return begin + "".join([*(_FILLED.sub(_SECRET, line) for line in lines[:ends]), *lines[ends:]])


def _without_assigned(text: str) -> str:
    """What is assigned to a name of a secret, in code, JSON, YAML, an environment, a command line or a sentence."""
    kept: list[str] = []
    at = behind = 0
    while name := _NAMED.search(text, at):
        begin, value = name.end(), _VALUES[name["quote"] or ""]
        at = begin
        end = _end(value, text, begin, begin + _LOOKED_AT)
        if not text.startswith(_MARKS, end) and _is_secret(text, name, text[begin:end]):
            kept += [text[behind:begin], _SECRET]
            at = behind = _end(value, text, begin, len(text))
    return "".join([*kept, text[behind:]])


def _end(value: re.Pattern[str], text: str, begin: int, stop: int) -> int:
    found = value.match(text, begin, stop)
    return found.end() if found else begin


def _is_secret(text: str, name: re.Match[str], value: str) -> bool:
    flag = _FLAG.search(text[max(0, name.start() - 40) : name.start()])
    if not value or value[0] in " ,)+:;.]}" or not (name["by"].strip(" \t") or flag):
        return False
    if name["maybe"] and not _is_token(value):
        return False
    known = (name["sure"] or name["maybe"]).lower()
    if _NO_VALUE.fullmatch(value) or value.lower() == known or any(mark in value for mark in _MARKS):
        return False
    return bool(name["quote"] or name["maybe"]) or _is_bare_secret(text, name, value)


def _is_bare_secret(text: str, name: re.Match[str], value: str) -> bool:
    """Whether a value without quotes is one, and neither a variable nor a folder nor the next word of a sentence."""
    folder = name["sure"].lower() == "pwd" and re.match(r"[/~]|[A-Za-z]:[\\/]", value)
    if folder or len(value) < _SHORTEST or _NAME_OF_SECRET.fullmatch(value):
        return False
    said = "=" not in name["by"] and bool(name["by"].strip(" \t"))
    return not (said and value.isalpha()) or bool(_LINE_ENDS.match(text, name.end() + len(value)))


def _is_token(value: str) -> bool:
    """Whether a value looks random: tokens of texts and names of layers are words with a number at most."""
    return bool(_TOKEN.fullmatch(value)) and not _WORDS.fullmatch(value)


def _without_login(match: re.Match[str]) -> str:
    """The part of a URL before its host; what holds only variables stays, and so does `git@` of Git's hosts."""
    login = match[2]
    named = all(re.fullmatch(r"\$?\{.*\}|\$\w+|%\w+%|", part) for part in login.split(":"))
    if named or login == "git" or (":" not in login and not match[1].lower().startswith("http")):
        return match[0]
    return f"{match[1]}{_SECRET}@"


def _library() -> list[re.Pattern[str]]:
    """The library's patterns, from the start of a word to its end: they stop at the least length of a token."""
    plugins = (
        *(AWSKeyDetector(), AzureStorageKeyDetector(), GitHubTokenDetector(), GitLabTokenDetector()),
        *(PypiTokenDetector(), SendGridDetector(), SlackDetector(), StripeDetector()),
    )
    found = [pattern for plugin in plugins for pattern in plugin.denylist]
    return [re.compile(rf"(?<![A-Za-z0-9])(?:{pattern.pattern})[\w-]*+", pattern.flags) for pattern in found]


_TOKENS = re.compile(
    r"(?<![\w-])(?:eyJ[\w-]{8,}+(?:\.[\w-]{4,}+){1,4}"  # JSON Web Tokens
    r"|sk-(?:(?:proj|ant|svcacct|admin|or)-[\w-]{20,}+|[A-Za-z0-9]{32,}+)"  # OpenAI, Anthropic, DeepSeek
    r"|(?:hf|api_org)_[A-Za-z0-9]{30,}+|github_pat_\w{22,}+|gl[a-z]{2,6}-[\w.-]{20,}+|wandb_v\d_\w{20,}+|KGAT_\w{20,}+"
    r"|AIza[\w-]{35,}+|GOCSPX-[\w-]{20,}+|ya29\.[\w-]{20,}+|npm_[A-Za-z0-9]{36,}+|dckr_pat_[\w-]{20,}+"
    r"|[rs]k_test_[0-9A-Za-z]{16,}+|whsec_[\w+/=]{20,}+|xapp-[\w-]{10,}+|xox[a-z]-[\w-]{10,}+)",
    re.ASCII,
)
_ROOT = r"(?<![\w.~/$%})-])(?<!<user>)(?<!<host>)(?<!<secret>)(?<!<email>)"  # where a path can begin
_PERSON = r"[A-Za-z_][\w.-]{0,31}+"
_NAME = (  # of a home folder; several words, or Chinese ones, only where the path goes on: else a sentence may
    r"(?!(?:Public|Shared|Default|All Users)\b)"
    r"(?:\w[\w.@+~$%-]{0,63}+(?=[/\\])|[A-Za-z0-9_\u00c0-\u024f](?:[A-Za-z0-9_\u00c0-\u024f@+~$%-]|\.(?=\w)){0,63}+|\w{1,64}+)"
)
_WORDED = r"(?:\w[\w.-]{0,31}+(?: [\w.-]{1,32}+){1,3}(?=[/\\])|" + _NAME + ")"
_RULES: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    *((pattern, _SECRET) for pattern in _library()),
    (_TOKENS, _SECRET),
    (
        re.compile(
            r"(authorization\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?)(?![<{$(\[\s])(?:\w{1,20}[ \t]+(?![<{$]))?"
            r"[^\s\"',;<>{}()\[\]\\]{8,}+",
            re.IGNORECASE,
        ),
        rf"\1{_SECRET}",
    ),
    (re.compile(r"\b(bearer[ \t]{1,4})(?=[a-z~+/.=_-]{0,400}\d)[\w.~+/=-]{8,}+", re.IGNORECASE), rf"\1{_SECRET}"),
    (
        re.compile(
            rf"\b((?:set-)?cookie\\?[\"']?[ \t]{{0,4}}:[ \t]{{0,4}}\\?[\"']?)(?=[\w.-]{{1,80}}=)(?:[^\"'\\{_BREAKS}-]|-(?!----))++",
            re.IGNORECASE,
        ),
        rf"\1{_SECRET}",
    ),
    (
        re.compile(
            r"([?&](?:sig|signature|x-amz-(?:signature|credential|security-token)|key|token|code)=)[^\s\"'&<>`)\]\\]{12,}+",
            re.IGNORECASE,
        ),
        rf"\1{_SECRET}",
    ),
    (re.compile(r"(_authToken=)[^\s<\"']++"), rf"\1{_SECRET}"),
    (re.compile(r"(\\?[\"']key\\?[\"']:[ \t]{0,4}\\?[\"'])[0-9a-f]{32}\b"), rf"\1{_SECRET}"),  # kaggle.json
    (
        re.compile(r"(\bwandb(?:\.login\(|[ \t]+login\b|:[^\n]{0,80}?API key)[^\n\r<]{0,60}?)\b[0-9a-f]{40,}+\b"),
        rf"\1{_SECRET}",
    ),
    (
        re.compile(r"(\bcurl\b[^\n\r<]{0,120}?[ \t](?:-u|--user)[ \t=]{1,2}[\"']?)(?![$<\"'\s])[^\s\"'<>]++"),
        rf"\1{_SECRET}",
    ),
    (re.compile(r"((?:https?)?://)([^\s/@?#\"'`<>\\]{0,200}[^\s/?#\"'`<>\\]{1,200})@", re.IGNORECASE), _without_login),
    (re.compile(rf"(?<![\w.%+/:@-])(?!git@){_PERSON}@[\w.-]{{1,64}}+(?=:[~/])", re.ASCII), "<user>@<host>"),
    (re.compile(rf"(?<=\[){_PERSON}@[\w.-]{{1,64}}+(?= [^\]\s]{{1,100}}\][$#])", re.ASCII), "<user>@<host>"),
    (re.compile(rf"^{_PERSON}@[\w.-]{{1,64}}+(?= \S{{1,60}} %(?:\s|$))", re.MULTILINE | re.ASCII), "<user>@<host>"),
    (
        re.compile(
            rf"(\b(?:ssh|ssh-copy-id)[ \t][^\n\r@]{{0,60}}?(?<=[ \t]))(?!git@){_PERSON}@[\w.-]{{1,64}}+(?![\w.-])",
            re.ASCII,
        ),
        r"\1<user>@<host>",
    ),
    (
        re.compile(
            r"(?<![\w.%+-])(?!git@)\w[\w.%+-]{0,63}+@(?:[A-Za-z0-9-]{1,63}+\.){1,5}"
            r"(?:com|org|net|edu|gov|mil|int|info|name|dev|app|biz|xyz|tech|cloud|online|site|club|email|academy|science|[a-z]{2})"
            r"(?![\w(\[-]|\.[A-Za-z_])",
            re.ASCII,
        ),
        "<email>",
    ),
    (
        re.compile(
            rf"((?:{_ROOT}|(?:file|sftp|ssh|rsync|hdfs|vscode-remote)://[^\s/\"'<>]{{0,100}})"
            r"/(?:[\w.+-]{1,64}/){0,3}?home\d?/)" + _NAME
        ),
        r"\1<user>",
    ),
    (
        re.compile(rf"((?:{_ROOT}|file://)/(?:(?:System/Volumes/Data|Volumes/[\w .-]{{1,64}})/)?Users/)" + _NAME),
        r"\1<user>",
    ),
    (re.compile(r"(/(?:mnt/|cygdrive/|host/)?[A-Za-z]/Users/)" + _WORDED, re.IGNORECASE), r"\1<user>"),
    (
        re.compile(
            r"((?<![A-Za-z])[A-Za-z]:[\\/]{1,4}(?:Users|Documents and Settings|用户)[\\/]{1,4})" + _WORDED,
            re.IGNORECASE,
        ),
        r"\1<user>",
    ),
    (
        re.compile(
            r"(\\{2,4}[\w.$-]{1,64}+\\{1,2}(?:[\w.$-]{1,64}+\\{1,2}){0,2}?(?:home|users|profiles)\$?\\{1,2})" + _WORDED,
            re.IGNORECASE,
        ),
        r"\1<user>",
    ),
]


def mask(text: str) -> str:
    """The text without secrets and personal paths: `<secret>`, `<user>`, `<host>` and `<email>` stand in their place.

    Keeps the number of lines; masking again changes nothing. Linear in the text, never raises on any string.
    """
    text = _without_assigned(_PRIVATE_KEY.sub(_without_key, text))
    for pattern, shown in _RULES:
        text = pattern.sub(shown, text)
    return text
