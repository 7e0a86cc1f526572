"""What a browser is shown where something went wrong."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from ...knowledge.text import Text
from ..languages import language_of
from ..problems import NOT_VALID, NOTHING_HERE, UNTOLD
from ..sign_in import OWN_PATH
from ..visit import visit_of
from .rendering import page

# By status: what it is, and what to do where that helps.
NOT_TAKEN = Text("That cannot be taken", "内容不符合要求")
HEADINGS = {
    400: NOT_TAKEN,
    401: Text("You are signed out", "登录已失效"),
    403: Text("That is not allowed", "不允许这样做"),
    404: Text("There is nothing here", "这里没有内容"),
    405: Text("This address is not for looking at", "这个地址不能直接打开"),
    408: Text("It did not arrive in time", "没有及时传完"),
    409: Text("Not possible right now", "现在还不能这样做"),
    413: Text("That is too large", "内容太大"),
    415: Text("This format is not taken", "不接受这种格式"),
    421: Text("Not at this address", "这个主机名没有服务"),
    422: NOT_TAKEN,
    429: Text("Too many at once", "请求太频繁"),
    500: Text("Something failed in kerasdoctor itself", "kerasdoctor 自身出错了"),
    503: Text("Not reachable at the moment", "暂时无法访问"),
}
ANYTHING = Text("That did not work", "没有成功")
ADVICE = {
    401: Text(
        "Sign in again; what you wrote is still in the form when you go back.",
        "请重新登录。返回上一页，刚才写的内容还在表单里。",
    ),
    404: Text(
        "It was removed, its time was over, or the address has a slip.", "它已被删除或过期，也可能是地址写错了。"
    ),
    408: Text(
        "The connection was too slow or broke off. Go back and send it again.", "连接太慢或已中断。请返回后再发送一次。"
    ),
    413: Text(
        "Send the last part of the text, where the error stands, or add it as a file.",
        "请只发送文本的最后部分（报错所在处），或作为文件上传。",
    ),
    422: Text(
        "A field is missing or not as expected. Go back, load the page again and send it once more.",
        "缺少某一项，或内容不符合要求。请返回、刷新页面后再发送一次。",
    ),
    429: Text(
        "Wait a moment, then send it again. What you wrote is still in the form when you go back.",
        "请稍等再发送。返回上一页，刚才写的内容还在表单里。",
    ),
    500: Text("It was logged. Your chats and files are kept.", "错误已记录，你的对话和文件都还在。"),
    503: Text("Try again shortly. Nothing is lost.", "请稍后再试，内容不会丢失。"),
}
LOGGED_AS = Text("number in the log {}", "日志编号 {}")
NOTHING = Text("", "")


class ProblemPages:
    """The pages of problems."""

    def problem(self, request: Request, status: int, title: str, detail: Text) -> Response:
        """The page of a problem; a wrong key brings its form again."""
        del title
        if status == 401 and request.url.path == "/sign-in":  # noqa: PLR2004 - Unauthorized
            after = request.query_params.get("next", "/")
            return page(request, "sign_in.html", status, next=after if OWN_PATH.fullmatch(after) else "/", wrong=True)
        lang = language_of(request)
        return page(
            request,
            "problem.html",
            status,
            number=status,
            heading=HEADINGS.get(status, ANYTHING).say(lang),
            advice=ADVICE.get(status, NOTHING).say(lang),
            detail=_told(request, status, detail).say(lang),
        )


def _told(request: Request, status: int, detail: Text) -> Text:
    """What else a person is told: fields of requests and headers are for programs."""
    if status in UNTOLD:
        logged = visit_of(request.scope).id
        return Text(LOGGED_AS.en.format(logged), LOGGED_AS.zh.format(logged))
    return NOTHING if status == 401 or detail in (NOT_VALID, NOTHING_HERE) else detail  # noqa: PLR2004 - Unauthorized
