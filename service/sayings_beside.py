"""What people say that has nothing to do with their problem, in both languages, as patterns of whole clauses; see `sayings_en.py`."""

from __future__ import annotations

from .sayings import Kind

BESIDE_ENGLISH: dict[Kind, tuple[str, ...]] = {
    "withheld": (
        (
            r"(?:i |we )?(?:do(?:n't| not)|dont|can(?:'?t|not)|can not|(?:am|are) not allowed to|may not|won't|"
            r"don't want to) (?:have|share|"
            r"give|send|upload|show|provide|paste|post|scroll)(?: (?:the|my|our|any|a|it|that|this|you|more|full|whole|complete|"
            r"traceback|further|up|model|data|dataset|"
            r"files?|logs?|code|weights|output|here|anything|else|anymore)){0,5}"
        ),
        r"(?:that's|that is|this is) (?:all|everything)(?: (?:i have|i've got|there is|it says|i can see|it prints|i get))?",
        r"(?:it's |it is |the (?:data|model|code) is )?(?:confidential|secret|proprietary)",
    ),
    "elsewhere": (
        (
            r"who (?:else )?(?:can|could) help(?: me)?(?: with (?:this|that|it))?|where (?:else )?(?:can|could|"
            r"should) i (?:ask|get help)|"
            r"(?:you|so you) (?:don't|do not|dont) know(?: (?:it|this|that|either|anything))?"
        ),
    ),
    "upset": (
        (
            r"(?:you(?:'re| are)? |this |it |that |kerasdoctor )?(?:is |are )?(?:so |such |just |really |fucking |"
            r"totally |completely ){0,2}"
            r"(?:a |an )?(?:suck|sucks|stupid|idiot|idiotic|dumb|terrible|awful|bad|horrible|shit|crap|rubbish|garbage|nonsense|"
            r"bullshit|annoying|frustrating|trash|worthless|wtf|fuck|fucked|fck|damn|moron)"
            r"(?: (?:you|off|bot|program|tool|machine|this|it|doctor|shit)){0,3}"
        ),
        r"you(?:'re| are) (?:so |totally )?useless|i(?:'m| am) (?:so |really )?(?:frustrated|desperate|angry|annoyed|going crazy)",
        r"(?:i )?give up|i hate (?:this|you|keras|tensorflow|it)|wtf.{0,20}",
    ),
    "no_error": (
        (
            r"(?:but )?(?:there(?:'s| is| was) |i (?:have|see|get|got) |it (?:shows|prints|gives) )?no "
            r"(?:traceback|errors?|stack ?trace|error message|exception|message|log)(?: (?:at all|here|message|shown|printed))?"
        ),
        (
            r"i (?:do(?:n't| not)|dont|didn't|did not) (?:have|see|get) (?:a |an |any |the )?"
            r"(?:traceback|errors?|stack ?trace|error message|exception|message|log)(?: at all)?"
        ),
        (
            r"(?:it|the (?:program|script|kernel|process)) (?:just |simply |only )?(?:stops|stopped|dies|died|hangs|"
            r"freezes|froze|exits|ends|ended|quits|closes)(?: (?:without (?:any )?(?:error|message|traceback)s?|"
            r"silently|suddenly)){0,2}"
        ),
    ),
    "link": (
        (
            r"(?:can you |could you )?(?:open|read|follow|visit|check|look at|see)(?: (?:the|this|that|"
            r"my))? (?:link|url|website|page|site)s?"
        ),
    ),
    "who": (
        r"(?:who|what)(?: (?:are|is)|'s|'re) (?:you|this|kerasdoctor)(?: (?:called|exactly|about|for))?",
        r"who (?:made|built|wrote|created) (?:you|this)|is this (?:a bot|chatgpt|an? ai)",
        (
            r"are you (?:a |an )?(?:real )?(?:bot|human|robot|ai|chatgpt|gpt|llm|person|real|machine|language model)(?: person)?"
        ),
        (
            r"(?:which|what) (?:keras |tensorflow )?(?:versions|releases|problems|errors|models|files|formats) (?:do|can) you "
            r"(?:know|read|support|handle|open|examine)"
        ),
    ),
    "privacy": (
        (
            r"(?:is |are )?(?:my |our |the )?(?:data|code|files?|model|paste|chat|messages?)(?: (?:is|are))? (?:safe|private|secure|"
            r"confidential|stored|kept|shared|public)(?: (?:here|with you|anywhere|somewhere))?"
        ),
        (
            r"(?:do|will|are|did) you (?:store|save|keep|share|collect|sell|log|upload|use|send|storing|saving|keeping|collecting)"
            r"(?: (?:my|our|the|this|any|it))?(?: (?:data|code|files?|model|paste|chat|messages?|information|input))?"
            r"(?: (?:anywhere|somewhere|to openai|for training)){0,2}"
        ),
        r"(?:what about |and )?(?:privacy|data protection|gdpr)|where does my (?:data|code|model|file) go",
        r"who can (?:see|read) (?:this|my (?:code|data|model|messages?))",
    ),
    "name": (r"(?:an? |the )?[a-z][a-z.]{1,40}(?:error|exception|warning)",),
    "write": (
        (
            r"(?:write|create|make|build|generate|code|program)(?: me| us)? (?:a|an|the|some|my|"
            r"all the)(?: (?:whole|full|complete|entire|"
            r"python|keras|new|simple|working)){0,3} (?:program|script|application|app|project|homework|assignment|notebook)"
            r"(?: (?:that|which|for|to|in|with|of) .{1,80})?"
        ),
        (
            r"write (?:me )?(?:the |all the )?(?:whole|full|complete|entire|all) (?:the )?code|(?:do|"
            r"solve) my (?:homework|assignment|project|exercise)"
        ),
    ),
    "english": (
        (
            r"(?:(?:please |and )?(?:answer|reply|speak|talk|write|respond|switch|change|continue|use|"
            r"explain|translate|say|do you speak|"
            r"show|now)(?: (?:it|this|that|me|back)){0,6} )?(?:in |to |into )?(?:the )?english(?: (?:version|"
            r"language|only))?"
        ),
    ),
    "chinese": (
        (
            r"(?:(?:please |and )?(?:answer|reply|speak|talk|write|respond|switch|change|continue|use|"
            r"explain|translate|say|do you speak|"
            r"show|now)(?: (?:it|this|that|me|back)){0,6} )?(?:in |to |into )?(?:simplified )?(?:chinese|"
            r"mandarin)(?: (?:version|language|only))?"
        ),
    ),
    "thanks": (
        (
            r"(?:many |ok |okay |great |cool |perfect )?(?:thanks|thank you|thank u|thx|tnx|ty|"
            r"cheers)(?: (?:anyway|a lot|so much|very much|again|man|mate|doctor|for .{2,40})){0,6}"
        ),
        (
            r"great|cool|nice|awesome|perfect|good|got it|i see|makes sense|understood|wow|lol|haha+|bye|"
            r"goodbye|see you|good bye|that's all|good to know|very good|(?:ok )?(?:thanks|thx|ty|thank you),? (?:good ?)?bye|bye bye"
        ),
    ),
    "help": (
        (
            r"(?:(?:i )?(?:really )?need )?(?:some |your )?help(?: (?:me|us|needed|wanted|out|with (?:this|"
            r"it|keras|tensorflow))){0,6}|can you help(?: me)?|usage|commands|menu|start"
        ),
        (
            r"what(?: (?:can|do|are|is)|'s) (?:you|this|kerasdoctor)(?: (?:do|for|able to do|here|"
            r"called|about)){0,6}|how (?:does|do) (?:this|it|you|i)(?: (?:work|use|start|begin|this|it|"
            r"you)){0,6}"
        ),
    ),
    "greeting": (
        (
            r"(?:hi|hello|hey|hiya|hallo|yo|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|"
            r"all|everyone|guys|team|doctor|kerasdoctor|again|sir)){0,6}"
        ),
        (
            r"(?:is )?(?:anyone|anybody) (?:here|there)|are you there|ping|test|testing|"
            r"how are you(?: (?:doing|today)){0,6}"
        ),
    ),
}

BESIDE_CHINESE: dict[Kind, tuple[str, ...]] = {
    "withheld": (
        (
            r"(?:我|公司|数据|模型|代码|这个?){0,3}(?:不能|没法|无法|不方便|不可以|不想)(?:给你?|发|分享|上传|公开|提供|透露|外传)(?:.{0,10})|"
            r"(?:我)?没有(?:模型|数据|文件|日志|模型文件|训练日志)(?:文件)?|(?:就|只有|我只有)(?:这些|这么多|这一段)(?:了)?|保密|涉密"
        ),
    ),
    "elsewhere": (
        r"(?:那)?(?:还有)?谁(?:能|可以)帮(?:我|忙)?|(?:那)?(?:我)?(?:可以|能|该)?(?:去)?(?:哪里|哪儿)(?:问|求助)|(?:那|所以)?你也?(?:不知道|不懂|不会)",
    ),
    "upset": (
        (
            r"(?:你|这|这个|什么|真的?|真是|太|是不是|简直|就是|个){0,5}(?:垃圾|破玩意|傻|傻逼|蠢|笨|白痴|废物|狗屁|坑人|烂|差劲|"
            r"鬼东西|胡说八道|扯淡|有病|滚|烦死|气死|无语|抓狂|智障|sb|tmd|卧槽|我靠|操|妈的|他妈的)"
            r"(?:了|啊|吧|我了|人了|程序|东西|机器人|玩意)?"
        ),
    ),
    "no_error": (
        (
            r"(?:但是?|也|就是|可是|程序|都|我|它|根本){0,4}(?:没有|没|无)(?:任何|什么|看到|显示|出现|打印)?"
            r"(?:报错信息|错误信息|报错|错误|堆栈|traceback|异常|日志|提示)(?:信息|的|啊)?"
        ),
        r"(?:程序|代码|它)?(?:就是|就|突然|直接|自己|自动){1,2}(?:停|停止|退出|卡住|卡死|死|结束|闪退|中断|断|挂|没反应)了?",
    ),
    "link": (
        r"(?:你)?(?:能|可以)?(?:打开|看|看看|访问|读)(?:一下|下)?(?:这个|那个|我的|我发的)?(?:链接|网址|网页|网站|帖子)",
    ),
    "who": (
        r"(?:你|您)(?:到底)?(?:是|叫)(?:谁|什么|什么名字|啥|机器人|ai|人工智能|chatgpt|真人|人|程序|大模型|什么东西)(?:还是.{1,6})?",
        r"谁(?:做|开发|写)的?你?|你是不是(?:真人|机器人|ai|人)",
        r"(?:你)?(?:支持|认识|知道|能读|能看|懂)(?:哪些|什么|哪个)(?:keras)?(?:版本|模型|文件|格式|问题|错误)",
    ),
    "privacy": (
        (
            r"(?:你们?|这里|服务器)?(?:会不会|会|是否|有没有|在)?(?:收集|保存|存储|存|上传|泄露|泄漏|分享|记录|留着|用)"
            r"(?:我的|我们的|我|这些|用户)(?:数据|代码|模型|文件|内容|聊天记录|对话|信息)(?:吗|到哪里?|不|来训练)?"
        ),
        (
            r"(?:我的|我们的|这些)?(?:数据|代码|模型|文件|聊天记录)(?:放在这里|在这里)?(?:会不会|会被|会|是否)?(?:被)?"
            r"(?:安全|泄露|泄漏|保密|收集)(?:吗|不)?|隐私(?:怎么办|问题|政策|安全)?"
        ),
    ),
    "write": (
        (
            r"(?:帮我|给我|请|替我|麻烦){0,2}(?:写|做|编|生成)(?:一|个|份|段|下){0,3}(?:.{0,40}(?:程序|作业|项目|毕设|毕业设计)|"
            r".{0,40}(?:完整|整个|全部)的?(?:代码|脚本|网络))(?:给我)?"
        ),
    ),
    "english": (
        (
            r"(?:用|说|讲|使用|改用|换成|切换到|切换成|切换|以|改成|翻译成|换|翻成){0,6}(?:英文|英语|"
            r"english)(?:回答|回复|说|解释|讲|写|版|再说一遍|说一遍|可以|行|交流|沟通)?"
        ),
    ),
    "chinese": (
        (
            r"(?:用|说|讲|使用|改用|换成|切换到|切换成|切换|以|改成|翻译成|换|翻成|换回|有){0,6}(?:中文|汉语|"
            r"普通话|简体中文|chinese)(?:回答|回复|说|解释|讲|写|版|再说一遍|说一遍|可以|行|交流|沟通)?"
        ),
    ),
    "thanks": (
        (
            r"(?:好的?|非常|十分|太|多|万分|ok)?(?:谢谢|感谢|多谢|谢了|谢啦|谢|3q|thx|辛苦|感激)(?:了|啦|你|"
            r"您|医生|大佬|啊|帮助|回答|的|谢谢){0,6}|明白了?|懂了|我?知道了|了解了?|收到|原来如此|原来是这样"
        ),
        r"厉害|牛|不错|再见|(?:谢谢)?拜拜|太好了|太棒了|很好|真棒|赞|哈哈+|好极了|学到了|没事了",
    ),
    "help": (
        (
            r"帮助|帮帮(?:我|忙)|帮个忙|求助|求帮助|救命|帮我|help|(?:需要|求)帮(?:助|忙)|你(?:能|会|可以|"
            r"都能)(?:帮我)?(?:做|干)(?:些|点)?(?:什么|啥|嘛)(?:事)?"
        ),
        (
            r"(?:这个?|该|你|我|它|要)?(?:怎么|如何|怎样)(?:使)?用(?:你|这个|它)?|使用(?:方法|说明)|"
            r"有(?:什么|哪些)功能|(?:能|可以)?帮(?:我|忙)(?:什么|忙)?|这是(?:什么|干什么的|干嘛的|做什么的|"
            r"啥)"
        ),
    ),
    "greeting": (
        (
            r"你好+|您好|嗨|哈喽|哈啰|hello|hi|在吗?|在不在|有人(?:在)?|早上好|上午好|中午好|下午好|晚上好|"
            r"早|早安|大家好|医生|医生好|你好医生|测试"
        ),
    ),
}
