"""Every sentence of the interface. Templates know them by name as `t.NAME`; scripts get those of `SCRIPTS`."""

from __future__ import annotations

from functools import cache

from ...knowledge.text import Lang, Text

NAME = Text("kerasdoctor", "kerasdoctor")
TAGLINE = Text(
    "Paste a Keras or TensorFlow failure. Get its cause, the evidence and a fix that was run.",
    "贴上 Keras 或 TensorFlow 的报错，得到原因、证据和实际运行过的改法。",
)
SKIP = Text("Skip to content", "跳到正文")
MAIN_MENU = Text("Main menu", "主菜单")
NEW_CHAT = Text("New diagnosis", "新的诊断")
TOPICS = Text("Topics", "主题")
SEARCH = Text("Search", "搜索")
MACHINE = Text("My environment", "我的环境")
REPORT = Text("Report", "统计")
OTHER_LANGUAGE = Text("中文", "English")
APPEARANCE = Text("Appearance", "外观")
LIGHT = Text("Light", "浅色")
DARK = Text("Dark", "深色")
AUTO = Text("Auto", "自动")
FOOTER = Text(
    "Answers come from executed knowledge, on this machine; no language model is asked.",
    "答案来自实际运行过的知识库，就在这台机器上得出，不经过语言模型。",
)
API = Text("API", "API")
SIGN_OUT = Text("Sign out", "退出")

# The front page.
HEADLINE = Text("What failed?", "哪里出错了？")
LEAD = Text(
    "Paste the traceback, drop the model. You get what it is, why it happened, evidence from your own files, and a fix "
    "that was seen to work.",
    "贴上报错，拖入模型文件。你会得到：这是什么问题、为什么发生、来自你自己文件的证据，以及验证过的改法。",
)
YOUR_TEXT = Text("Traceback or question", "报错或问题")
PASTE_HERE = Text(
    "Paste a traceback, a training log, or describe what goes wrong …", "贴上报错信息或训练日志，或描述一下问题……"
)
ADD_FILES = Text("Add files", "添加文件")
FILES_HINT = Text(
    "A model (.keras, .h5), a training log, a sample of the data or an environment report. You can drop them anywhere.",
    "模型（.keras、.h5）、训练日志、数据样本或环境报告，拖到页面任意位置即可。",
)
KERAS_VERSION = Text("Keras version", "Keras 版本")
RUN_MODEL = Text("Run my model too", "也运行我的模型")
RUN_MODEL_HINT = Text("in a sandbox, without network", "在断网的沙箱里")
DIAGNOSE = Text("Diagnose", "开始诊断")
SEND = Text("Send", "发送")
KEYS_TO_SEND = Text("Ctrl + Enter sends", "Ctrl + Enter 发送")
DROP = Text("Drop the files here", "把文件放在这里")
EXAMPLES = Text("Try an example", "试一个例子")
HOW = Text("How it works", "怎么做到的")
HOW_1 = Text("It reads", "先读懂")
HOW_1_TEXT = Text(
    "The traceback is taken apart and matched to {} topics whose broken code was really run.",
    "拆解报错内容，与 {} 个主题比对；每个主题的错误代码都实际运行过。",
)
HOW_2 = Text("It looks", "再检查")
HOW_2_TEXT = Text(
    "{} probes examine your model, log, data or environment in a locked sandbox. Nothing leaves this machine.",
    "{} 个探针在隔离的沙箱里检查你的模型、日志、数据或环境，内容不会离开这台机器。",
)
HOW_3 = Text("It shows", "最后给出结果")
HOW_3_TEXT = Text(
    "Each claim has evidence or a source, each fix names the releases it was run with. What it does not know, it says.",
    "每个结论都有证据或出处，每个改法都注明在哪些版本上运行过。不认识的问题会如实说不认识。",
)
RECENT = Text("Your recent diagnoses", "你最近的诊断")
UNTITLED = Text("Files only", "只有文件")
EXAMPLE_TRACEBACK = Text("A traceback with its model", "报错和它的模型")
EXAMPLE_TRACEBACK_HINT = Text(
    "Conv2D refuses uint8 pictures; the model file says why", "Conv2D 不接受 uint8 图片，模型文件说明了原因"
)
EXAMPLE_LOG = Text("A training log", "训练日志")
EXAMPLE_LOG_HINT = Text(
    "Good in training, bad on new data; the curves show where it turns", "训练很好，验证很差；曲线能看出从哪一轮开始"
)
EXAMPLE_QUESTION = Text("A question in words", "用一句话提问")
EXAMPLE_QUESTION_HINT = Text("'my loss is nan after a few batches'", "“训练几个批次后 loss 变成 nan”")
EXAMPLE_QUESTION_TEXT = Text(
    "my loss becomes nan after a few batches, why?", "训练几个批次之后 loss 变成 nan 了，怎么办？"
)
EXAMPLE_LOG_TEXT = Text("Training looks good, but on new data the model is bad.", "训练集表现很好，验证集却越来越差。")

# The conversation.
CONVERSATION = Text("Conversation", "对话")
YOU = Text("You", "你")
FOLLOW_UP = Text("Follow-up", "继续提问")
FOLLOW_UP_HINT = Text(
    "Ask on, add the full traceback, say 'I use Keras 3' or 'it didn't help' …",
    "继续提问、补充完整报错，或直接说“我用的是 Keras 3”“没有用”……",
)
SHOW_ALL = Text("Show all {} lines", "显示全部 {} 行")
SHOW_ALL_OF_IT = Text("Show all of it", "显示全部")
WHOLE_TEXT = Text("Open the whole text ({})", "打开全文（{}）")
FILES = Text("Files", "文件")
NO_FILES = Text(
    "No files yet. Drop a model, a log or data anywhere.", "还没有文件。把模型、日志或数据拖到页面任意位置即可。"
)
REMOVE = Text("Remove", "移除")
REMOVE_FILE = Text("Remove {}", "移除 {}")
DOWNLOAD = Text("Download", "下载")
DOWNLOAD_FILE = Text("Download {}", "下载 {}")
THIS_CASE = Text("This case", "本次诊断")
KNOWN_OF_IT = Text("What is known", "已知信息")
TOPIC = Text("Topic", "主题")
VERSIONS = Text("Versions", "版本")
EXCEPTION = Text("Exception", "异常")
NOT_TOLD = Text("not told", "未说明")
SHARE = Text("Share", "分享")
MAKE_LINK = Text("Make a public link", "生成公开链接")
TAKE_BACK = Text("Take the link back", "撤回链接")
SHARED_AT = Text("Anyone with this link can read it:", "任何人打开这个链接都能查看：")
SHARE_HINT = Text("Read-only, without your files.", "只读，不包含你的文件。")
COPY = Text("Copy", "复制")
COPIED = Text("Copied", "已复制")
COPY_CODE = Text("Copy the code", "复制代码")
EXPORT = Text("Export as Markdown", "导出为 Markdown")
REMOVE_CHAT = Text("Delete this chat", "删除这段对话")
REMOVE_CHAT_SURE = Text("Yes, delete it with its answers", "确认删除（连同全部回答）")
UNDER_WAY = Text("Working on it", "正在处理")
QUEUED = Text("Waiting for a free place", "排队中")
CANCEL = Text("Cancel", "取消")
RECOGNISED = Text("Recognised", "已识别")
NOT_RECOGNISED = Text("Not recognised by the text alone", "仅凭文本还认不出来")
RELOADS = Text("This page reloads by itself until the answer is here.", "答案出来之前，本页会自动刷新。")
AGAIN = Text("Interrupted; it begins again", "被中断，正在重新开始")

# An answer.
DIAGNOSIS = Text("Diagnosis", "诊断结果")
MENDED = Text("Repair", "修复")
ANSWERED = Text("Answer", "回答")
NO_ANSWER = Text("No answer", "没有得出结果")
CERTAIN = Text("Almost certain", "几乎确定")
LIKELY = Text("Likely", "很可能")
PERHAPS = Text("Possible", "有可能")
SEEN_IN = Text("Seen in {}:", "在 {} 中发现：")
READ_ABOUT = Text("Read about it: {}", "查看相关主题：{}")
PICTURE_MODEL = Text("Layer graph of {}", "{} 的层结构图")
PICTURE_LOG = Text("Training curves of {}", "{} 的训练曲线")
MORE_PICTURES = Text("Pictures of the other files ({})", "其他文件的图（{}）")
PICTURE_OPEN = Text("Open the picture", "打开大图")
BEFORE = Text("before", "修改前")
AFTER = Text("after", "修改后")
ACT_ON_IT = Text("What next?", "接下来")
WHY = Text("Why?", "为什么？")
SHOW_FIX = Text("Show the fix", "怎么改？")
EVIDENCE = Text("Evidence", "证据")
SOURCES = Text("Sources", "出处")
HELPED = Text("It helped", "有用")
DID_NOT_HELP = Text("It didn't help", "没有用")
REASON = Text("What is missing? (optional)", "哪里不对？（可不填）")
SEND_REASON = Text("Rule it out and go on", "排除它，继续找")
YES = Text("Yes", "是的")
NO = Text("No", "不是")
RUN_TOO = Text("Run the model too", "也运行模型")
REPAIR_COPY = Text("Repair a copy", "修复一份副本")
REPAIR_OF = Text("Model", "模型")
REPAIR_FOR = Text("The copy is for", "副本用于")
KERAS_3 = Text("Keras 3 (.keras)", "Keras 3（.keras）")
KERAS_2 = Text("Keras 2 (.h5)", "Keras 2（.h5）")
REPAIR_NOW = Text("Repair it", "开始修复")
REPAIR_HINT = Text(
    "Your file stays as it is. The copy is loaded and run before you get it.",
    "原文件不会改动；副本经过加载和运行验证后才会给你。",
)
CHOSE = Text("Chose: {}", "选择：{}")
GONE_FILE = Text("removed", "已删除")

# Topics, search, environment.
ALL_TOPICS = Text("All topics", "全部主题")
TOPICS_LEAD = Text(
    "{} things that go wrong with Keras, or that people ask about it. The code of each was run; what it printed is what pastes "
    "are matched to.",
    "{} 个 Keras 常见问题和用法。每个主题的代码都实际运行过，报错就与运行时打印的内容比对。",
)
KIND_ERROR = Text("Errors", "报错")
KIND_PITFALL = Text("Pitfalls: no error, and yet wrong", "陷阱：不报错，结果却不对")
KIND_HOWTO = Text("How to", "用法")
ONE_ERROR = Text("Error", "报错")
ONE_PITFALL = Text("Pitfall", "陷阱")
ONE_HOWTO = Text("How-to", "用法")
FAILS_IN = Text("Fails in {}", "在 {} 中出错")
WORKS_IN = Text("Works in {}", "在 {} 中可用")
CODE = Text("Code", "代码")
PROBES_FOR_IT = Text("Probes that look for it", "会检查它的探针")
RELATED = Text("Looks alike, and how to tell them apart", "容易混淆的主题及区别")
MESSAGES = Text("Its messages", "相关报错")
SEARCH_TOPICS = Text("Search the topics", "搜索主题")
SEARCH_HINT = Text("nan loss, input shape, h5 …", "nan、输入形状、h5……")
FOUND = Text("{0} topics for '{1}'", "“{1}”共有 {0} 个相关主题")
NOTHING_FOUND = Text(
    "No topic has these words. Paste the whole error instead: it tells more.",
    "没有主题包含这些词。直接贴上完整报错，信息更多。",
)
ENVIRONMENT_LEAD = Text(
    "GPU not found, imports that fail, versions that do not fit: have your own machine examined, without installing anything.",
    "找不到 GPU、导入失败、版本不匹配：不用安装任何东西，就能检查你自己的机器。",
)
STEP_1 = Text("Download the script", "下载脚本")
STEP_1_TEXT = Text(
    "One file, standard library only, Python 3.7 or newer. It reads versions, configuration and hardware, hides your user name, "
    "and sends nothing anywhere.",
    "只有一个文件，仅用标准库，支持 Python 3.7 及以上。它读取版本、配置和硬件信息，隐去用户名，不向任何地方发送内容。",
)
STEP_2 = Text("Run it with the Python that fails", "用出错的那个 Python 运行")
STEP_2_TEXT = Text(
    "It takes some seconds, because it really imports TensorFlow.", "需要几秒，因为会真正导入 TensorFlow。"
)
STEP_3 = Text("Drop the report here", "把报告拖到这里")
STEP_3_TEXT = Text("Together with the error, if there is one.", "有报错的话，一并贴上。")

# Sharing, signing in, report, errors.
SHARED_CHAT = Text("A shared diagnosis", "分享的诊断")
SHARED_NOTE = Text(
    "Someone shared this diagnosis. Secrets and personal paths were masked when it was made.",
    "这是他人分享的诊断，其中的密钥和个人路径在保存前已打码。",
)
ASK_YOURSELF = Text("Diagnose a failure of your own", "诊断你自己的问题")
SIGN_IN = Text("Sign in", "登录")
SIGN_IN_LEAD = Text(
    "This kerasdoctor asks for a key. Whoever runs it makes one with: kerasdoctor keys",
    "使用这个 kerasdoctor 需要密钥，由管理者用 kerasdoctor keys 命令生成。",
)
KEY = Text("Key", "密钥")
WRONG_KEY = Text("This key is not valid. Check that it was copied whole.", "密钥无效，请检查是否完整复制。")
REPORT_LEAD = Text(
    "What helped, what did not, and what nobody has written yet.", "哪些有用，哪些没用，哪些还没有人写。"
)
BY_TOPIC = Text("Topics by helpfulness", "各主题的帮助情况")
NAMED = Text("Named", "给出次数")
NOT_HELPED = Text("Did not help", "没有用")
UNKNOWN_PASTES = Text("Pastes that were not recognised", "没能识别的内容")
TIMES = Text("{} times", "{} 次")
NEAREST = Text("nearest: {}", "最接近：{}")
NOTHING_YET = Text("Nothing yet.", "暂无内容。")
BACK = Text("Back to the start", "返回首页")
DETAIL = Text("Detail", "详情")

# What the scripts say.
UPLOADING = Text("Uploading {}", "正在上传 {}")
UPLOADED = Text("{} is uploaded", "{} 已上传")
UPLOAD_FAILED = Text(
    "{} could not be uploaded: {}. Take it out to send without it.", "{} 上传失败：{}。把它移除就可以不带它发送。"
)
UPLOAD_WAITS = Text("The connection was lost; it goes on by itself.", "连接中断，恢复后会自动继续。")
WAITS_FOR_FILES = Text("Waiting for the files …", "正在等待文件上传……")
OFFLINE = Text("The connection was lost. It is tried again.", "连接中断，正在重试。")
ONLINE = Text("Connected again.", "已重新连接。")
ANSWER_HERE = Text("The answer is here.", "答案已给出。")
NOT_SENT = Text("It was not sent: {}", "发送失败：{}")
NO_CONNECTION = Text("no connection", "没有网络连接")
SIGNED_OUT = Text(
    "you were signed out; sign in in another tab, then send it again", "登录已失效，请在另一个标签页登录后再发送"
)
FILE_TOO_LARGE = Text("{} is larger than {} MiB, which is the most.", "{} 超过上限 {} MiB。")
TOO_LONG = Text("This is over {} MiB of text; add it as a file instead.", "文本超过 {} MiB，请作为文件上传。")

SCRIPTS = (
    "UPLOADING", "UPLOADED", "UPLOAD_FAILED", "UPLOAD_WAITS", "WAITS_FOR_FILES", "REMOVE_FILE", "OFFLINE", "ONLINE",
    "ANSWER_HERE", "NOT_SENT", "NO_CONNECTION", "COPY", "COPIED", "COPY_CODE", "RECOGNISED", "NOT_RECOGNISED", "UNDER_WAY",
    "QUEUED", "AGAIN", "TOO_LONG", "DROP", "SIGNED_OUT", "FILE_TOO_LARGE",
)  # fmt: skip


@cache
def texts(lang: Lang) -> dict[str, str]:
    """All of them for a reader of `lang`, by name."""
    return {name: text.say(lang) for name, text in globals().items() if isinstance(text, Text)}
