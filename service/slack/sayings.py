"""What kerasdoctor says in Slack beside its answers."""

from __future__ import annotations

from ...knowledge.text import Text

LOOKING = Text("Looking at it…", "正在查看……")
THANKS = {
    True: Text("Noted: it helped. Thank you!", "已记录：有帮助。谢谢！"),
    False: Text("Noted: it didn't help. Thank you for telling.", "已记录：没有帮助。感谢反馈。"),
}
HELP = Text(
    "Paste a traceback or describe the problem: `/kerasdoctor ValueError: Shapes (None, 1) and (None, 10) are incompatible`. "
    "Files go into a direct message to kerasdoctor, or into a thread in which you mention it.",
    "请粘贴报错信息或描述问题：`/kerasdoctor ValueError: Shapes (None, 1) and (None, 10) are incompatible`。"
    "文件请用私信发给 kerasdoctor，或在提及它的消息串中发送。",
)
NOT_INSTALLED = Text(
    "kerasdoctor isn't installed in this workspace. Whoever runs it can install it again at /slack/install.",
    "此工作区没有安装 kerasdoctor。请服务管理员在 /slack/install 重新安装。",
)
TOO_MANY = Text(
    "Your workspace has asked a lot in the last minute. Please try again in a minute.",
    "你所在的工作区一分钟内提问过多，请稍后再试。",
)
FULL = Text(
    "Some of your messages are still being answered here; please wait for them.", "这里还有消息正在处理，请稍等。"
)
NOT_FETCHED = Text(
    "`{}` could not be fetched from Slack: the app needs the permission `files:read`, and to be in this channel.",
    "无法从 Slack 获取 `{}`：应用需要 `files:read` 权限，并且要在此频道中。",
)
TOO_LARGE = Text(
    "`{}` is larger than {} MiB, which is the most that is fetched from Slack. Use the web page for it.",
    "`{}` 超过 {} MiB，这是从 Slack 获取文件的上限。请使用网页上传。",
)
NO_ROOM = Text(
    "There is no room for `{}`: your workspace keeps as many files as it may. They are removed after a time.",
    "没有空间存放 `{}`：此工作区的文件已达上限。过一段时间文件会自动删除。",
)
TOO_MANY_FILES = Text("Of your files the first {} were looked at.", "只查看了前 {} 个文件。")
INSTALLED = Text(
    "kerasdoctor is installed in your workspace. Mention it in a channel that it was invited to, or send it a message.",
    "kerasdoctor 已安装到你的工作区。请在邀请了它的频道里提及它，或给它发私信。",
)
NO_INSTALLATION = Text(
    "kerasdoctor was not installed: {}. Begin again at /slack/install.",
    "kerasdoctor 安装失败：{}。请从 /slack/install 重新开始。",
)
