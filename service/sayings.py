"""What people say to the doctor beside their problem, as patterns of whole clauses in both languages.

A clause is lower case, without punctuation at its ends; Chinese has no spaces in it. The first kind that fits counts.
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "evidence", "sources", "fix", "why", "not_helped", "helped", "no", "yes", "unsure", "ordinal", "live", "english",
    "chinese", "here", "thanks", "help", "greeting", "version",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

_IT = r"(?:it|this|that|the (?:fix|solution|change|answer|suggestion|advice)|your (?:fix|solution|answer|suggestion|advice))"
_ERROR = r"(?:error|errors|problem|issue|exception|traceback|message|thing|bug)"
_NOT = r"(?:not|n't|nt| not)"
_SEE = (
    r"(?:(?:show|give|list|tell|see|have|get|send)(?: me)? |what(?: is|'s|s| are) |do you have |any |are there any )?"
)
_THE = r"(?:the |your |any |a |some |more )?"
_ATTACHED = (
    r"(?:traceback|stack ?trace|error|log|output|message|code|script|model|weights|file|data|csv|history|training log)"
)
_STILL = r"(?:still|again|yet)"

ENGLISH: dict[Kind, tuple[str, ...]] = {
    "evidence": (
        rf"{_SEE}{_THE}(?:evidence|proof|reasons|findings|reasoning)(?: (?:for|of|behind) (?:this|that|it))?",
        r"how (?:do|can|did) you (?:know|tell|be sure|find out)(?: (?:this|that|it))?",
        r"why do you (?:think|say|believe)(?: (?:so|this|that|it))?(?: is (?:so|it|this|that))?",
        r"what makes you (?:think|say|believe|so sure)(?: (?:so|this|that))?",
        r"(?:are you|how) (?:really )?(?:sure|certain)(?: are you)?(?: about (?:it|this|that))?",
        r"what did you (?:find|see|look at|check)(?: in (?:it|the model|my model|the file|my file))?|prove it",
    ),
    "sources": (
        rf"{_SEE}{_THE}(?:official )?(?:sources?|references?|docs?|documentation|links?|citations?)(?: for (?:this|that|it))?",
        r"where (?:is|was) (?:this|that|it) (?:documented|written|from|described)|where can i read (?:more|about it|that)",
        r"where (?:does|did) (?:this|that|it) come from|says who|according to (?:whom|what)|read more",
    ),
    "fix": (
        rf"{_SEE}{_THE}(?:full |complete |whole |exact |correct |fixed |working )?(?:fix|solution|code|repair|remedy|workaround|example)"
        r"(?: (?:code|for (?:this|that|it)|again))?",
        r"(?:so |and )?how (?:do|can|should|could|would|to|shall) ?(?:i|we|you|one)? ?(?:to )?"
        r"(?:fix|solve|repair|resolve|correct|avoid|change|do)(?: (?:it|this|that|(?:this|the|that|my) " + _ERROR + r"))?(?: then)?",
        r"(?:so |and )?what (?:should|do|can|must|shall) (?:i|we) (?:do|change|try)"
        r"(?: (?:now|next|then|instead|about (?:it|this|that)|to fix (?:it|this|that)))?",
        r"what now|what next|next step|how to|how|can you fix (?:it|this|that)|fix (?:it|this|that)",
    ),
    "why": (
        r"why(?: not| so| though| exactly)?|but why|how come|what|huh|pardon|reason|cause|the (?:reason|cause)",
        r"why (?:is|was|does|did|do|would|has) (?:this|that|it|they|i|my code|the error)"
        r"(?: (?:so|happen|happening|happened|occur|occurring|fail|failing|break|broken|not work|not working|the case|wrong|raised))?"
        r"(?: (?:get|getting|see|seeing|have) (?:this|that|it)(?: error)?)?",
        r"(?:what(?: is|'s|s| was)|tell me|explain|show me) (?:the )?(?:root )?(?:reason|cause|causes|explanation)"
        r"(?: (?:for|of|behind) (?:this|that|it|the error))?",
        r"what(?:'s|s| is|)? ?(?:causes|caused|causing|behind) (?:this|that|it|the error)|what (?:happened|went wrong|is happening)",
        r"explain(?: (?:it|this|that|why|more|further|in detail|please|to me)){0,6}|tell me (?:why|more)|more (?:details?|info|information)",
        r"what does (?:this|that|it) mean|i (?:don't|do not|dont|didn't|still don't) (?:understand|get)(?: (?:it|this|that|why))?",
    ),
    "not_helped": (
        rf"(?:{_IT} )?(?:still |really |just |also )?(?:did|does|do|has|have|is|was|could|would){_NOT} "
        r"(?:really |actually |quite )?(?:help|helped|helping|helpful|work|worked|working|fix|fixed|solve|solved|change|changed|do|make"
        rf"|it|right|correct|the|my|what|any|a)(?: (?:it|this|that|anything|a thing|me|my|the|any|one|difference|better|case|cause|right|same|"
        rf"{_ERROR}|i have|i mean|i meant|at all|either|for me|here|unfortunately|though|sadly)){{0,6}}",
        rf"(?:(?:i|it|i'm|im|i am|they|there is|there's) )?still (?:(?:get|getting|got|have|having|see|seeing|is|fails?|failing|crash(?:es|ing)?|"
        rf"happens|happening|broken|wrong|nothing|no luck|not|working|work|doesn't|does not|doesnt|the|this|that|same|exact|there|persists|"
        rf"exists|occurs|occurring|it|an|appears|{_ERROR}|message|nan|as before|after that|here|help|fixed|solved)(?: |$)){{1,6}}",
        rf"(?:it(?:'s| is) |i (?:get|have|got|see) )?(?:exactly |always )?(?:the |this )?(?:exact )?same (?:old )?(?:{_ERROR}|result)"
        r"(?: (?:again|as before|persists|remains|here|still|occurs|after that)){0,6}",
        r"(?:the |this |that |same )?(?:error|problem|issue) (?:persists|remains|is still (?:there|the same)|stays|is the same|comes back|came back)",
        r"no (?:luck|change|effect|difference|success|improvement|use|help)(?: (?:at all|either|here|so far|unfortunately))?|nothing (?:changed|helps|helped)",
        r"(?:that's |that is |it's |it is |this is |your (?:answer|diagnosis) is )?(?:totally |completely |just )?(?:wrong|useless|incorrect|not helpful|"
        r"unhelpful|not it|not right|not correct|not (?:my|the) (?:problem|issue|error|case|cause)|something else|another problem|a different problem)",
        r"(?:i )?(?:have |'ve |ve )?(?:already )?(?:tried|did|done)(?: (?:that|this|it|all that|the fix|everything))?(?: already| before)?|"
        r"wrong (?:answer|diagnosis|topic|problem|one)|(?:anything|something|what) else",
    ),
    "helped": (
        rf"(?:(?:{_IT}|everything|all|now it|it all|yes it|yes that) )?(?:has |have |is |'s |was |just |really |indeed |actually |finally |now ){{0,6}}"
        r"(?:works?|worked|working|helped|helps|helpful|useful|solved|fixed|resolved|did it|did the trick|running|runs|trains|loads|was it|fine|gone)"
        r"(?: (?:it|my|the|this|that|me|problem|issue|error|a lot|now|again|perfectly|great|fine|well|like a charm|for me|here|very much|indeed)){0,6}",
        r"(?:the |my )?(?:problem|issue|error|bug|warning)(?: is| was|'s| has been)? (?:now )?(?:solved|fixed|resolved|gone|disappeared)(?: now)?",
        r"(?:that|this|it) was (?:it|the (?:problem|issue|cause|reason|bug))|no more errors?|no errors? (?:any ?more|now)|you (?:fixed|solved) it",
    ),
    "no": (
        r"no+|nope|nah|n|no it (?:isn't|is not|doesn't)|not really|i don't think so|it (?:isn't|is not)|don't|negative",
        r"(?:it's |it is |it was )?(?:neither|none)(?: of (?:them|these|those|the two|both|the above))?|not (?:that|this)(?: one)?",
    ),
    "yes": (
        r"(?:yes|yep|yeah|yup|ya|y|sure|ok|okay|k|right|correct|exactly|true|indeed|absolutely|definitely|of course|probably|i think so)"
        r"(?: (?:yes|it is|it does|i do|please|exactly|sure|that one|that's it|that is it|right|of course|do it|go ahead)){0,6}",
        r"(?:that's|that is|you're|you are) (?:right|correct|it|the one)|i do|it is|it does|go ahead|do it|sounds (?:right|good)",
    ),
    "unsure": (
        r"(?:i )?(?:don't|do not|dont|can't|cannot) (?:know|tell|say|remember)(?: (?:it|that|which|which one|the version))?|dunno|idk|skip(?: it| this)?",
        r"(?:i(?:'m|m| am) )?(?:not (?:really |quite |so )?(?:sure|certain)|unsure)(?: which(?: one)?)?|(?:i have |i've )?no idea|no clue|maybe|pass",
    ),
    "ordinal": (
        r"(?:it's |it is |i think |i mean |i'd say |probably |definitely |option |number |answer |no |nr |#){0,6}(?:the )?"
        r"(?P<nth>first|1st|1|one|a|second|2nd|2|two|b|third|3rd|3|three|c|former|latter|last)(?: (?:one|option|of them|is it|i think|fits)){0,6}",
    ),
    "live": (
        r"(?:run|execute|test|load|do)(?: (?:it|the|my|this|that|them|a|model|models|file|live|check|run|test|examination|probes?|really|too|for real)){1,6}",
        r"live(?: (?:check|run|test|examination|probes?|please))?|run",
    ),
    "english": (
        r"(?:(?:please |and )?(?:answer|reply|speak|talk|write|respond|switch|change|continue|use|explain|translate|say|do you speak|"
        r"show|now)(?: (?:it|this|that|me|back)){0,6} )?(?:in |to |into )?(?:the )?english(?: (?:version|language|only))?",
    ),
    "chinese": (
        r"(?:(?:please |and )?(?:answer|reply|speak|talk|write|respond|switch|change|continue|use|explain|translate|say|do you speak|"
        r"show|now)(?: (?:it|this|that|me|back)){0,6} )?(?:in |to |into )?(?:simplified )?(?:chinese|mandarin)(?: (?:version|language|only))?",
    ),
    "here": (
        rf"(?:(?:and |so )?(?:here|this|that|below|these|attached|following)(?: (?:is|are|comes)|'s|s)? )?{_THE}(?:my |full |complete |whole |entire |"
        rf"rest of the |other |actual |exact |trained |saved |keras |h5 ){{0,6}}{_ATTACHED}s?(?: (?:message|log|file|output|text|again|in full|below|attached)){{0,6}}",
        r"here(?: (?:it is|you go|you are|they are|goes))?|see (?:below|attached|attachment|above)|as attached|attached|uploaded|below",
        rf"(?:i(?:'ve| have)? )?(?:just )?(?:attach|attached|upload|uploaded|dropped|added|sent|pasted)(?: (?:the|my|a|it|this))?(?: {_ATTACHED}){{0,6}}",
        r"(?:check|examine|inspect|analy[sz]e|diagnose|look at|look into|(?:take|have) a look(?: at)?|look|debug|review)(?: (?:this|the|my|it|that|these|"
        r"one|keras|h5|model|file|log|data|sample|weights|training|here|for me)){0,6}",
        r"what(?:'s|s| is) wrong(?: (?:with|in|about|here|there|this|it|the|my|model|file|log|data)){0,6}|is (?:there )?(?:anything|something) wrong"
        r"(?: (?:with|in|this|it|the|my|model|file|log|data)){0,6}|is (?:this|my|the) (?:model|file|log|data) (?:ok|okay|fine|good|broken|correct|healthy)",
    ),
    "thanks": (
        r"(?:many |ok |okay |great |cool |perfect )?(?:thanks|thank you|thank u|thx|tnx|ty|cheers)(?: (?:a lot|so much|very much|again|man|mate|doctor|for .{2,40})){0,6}",
        r"great|cool|nice|awesome|perfect|good|got it|i see|makes sense|understood|wow|lol|haha+|bye|goodbye|see you|good bye|that's all|good to know",
    ),
    "help": (
        r"(?:(?:i )?(?:really )?need )?(?:some |your )?help(?: (?:me|us|needed|wanted|out|with (?:this|it|keras|tensorflow))){0,6}|can you help(?: me)?|usage|commands|menu|start",
        r"(?:what|who)(?: (?:can|do|are|is)|'s) (?:you|this|kerasdoctor)(?: (?:do|for|able to do|here|called|about)){0,6}|how (?:does|do) (?:this|it|you|i)(?: (?:work|use|start|begin|this|it|you)){0,6}",
        r"are you (?:a |an )?(?:bot|human|robot|ai|chatgpt|llm|person|real)(?: person)?",
    ),
    "greeting": (
        r"(?:hi|hello|hey|hiya|hallo|yo|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|all|everyone|guys|team|doctor|kerasdoctor|again|sir)){0,6}",
        r"(?:is )?(?:anyone|anybody) (?:here|there)|are you there|ping|test|testing|how are you(?: (?:doing|today)){0,6}",
    ),
}  # fmt: skip

_SO = r"(?:这个?|那个?|它|我|你|现在|但|也|都|已经?|终于|真的?|确实|果然|好像|似乎|完全|根本|并|一点都?|试了|试过了?|改了|改完|之后|按你说的|做了?|方法|方案|问题|答案|这样|后|还|就|是){0,6}"
_AGAIN = r"(?:还是|依然|仍然|依旧|仍|还|又|照样|继续|一直)"
_THING = r"(?:错误?|报错|问题|异常|失败|出错|毛病)"
_FILE = r"(?:报错信息|错误信息|报错|错误|堆栈|traceback|日志|代码|模型文件|训练日志|数据|模型|文件|输出|信息|权重|脚本|csv|log)"

CHINESE: dict[Kind, tuple[str, ...]] = {
    "evidence": (
        r"(?:有|给|看|看看|看下|显示|查看|给我看看?|你的|列出){0,6}(?:什么|没有|一下|啥)?(?:判断)?(?:证据|依据|根据|理由|检查结果)(?:是什么|是啥|在哪里?|何在)?",
        r"你?(?:是)?(?:怎么|如何|咋)(?:看出来?|知道|判断|得出|确定|发现)(?:出来)?的?(?:结论|这个结论|是这个(?:问题|原因)?)?的?",
        r"你?凭什么(?:这么说|这样说|认为)?|你?(?:为什么|为啥)(?:这么|这样|会)?(?:认为|觉得|说|判断)(?:是这个.*)?|你?(?:真的?)?(?:确定|肯定|有把握)",
    ),
    "sources": (
        r"(?:有|给|看|看看|看下|显示|查看|列出|给我){0,6}(?:没有|什么|一下|个|相关|官方|的){0,6}(?:出处|来源|参考资料|参考文献|参考|文档|链接|资料|引用)(?:是什么|在哪里?|有哪些|链接|有)?",
        r"(?:这|那)?(?:是)?(?:从)?(?:哪里|哪儿|哪)(?:来|说|写|看到|看)的",
    ),
    "fix": (
        r"(?:那|这个?|我|应该|该|具体|到底|要|现在|代码|所以|问题|错误|它|得|报错){0,6}(?:怎么|如何|咋|怎样|怎么样)(?:去)?(?:改|修|修改|修复|解决|办|处理|弄|搞|做|避免|修正|改正|整)(?:它|好|才行|代码|这个.{2})?",
        r"(?:看看|看下|看|显示|给出|给|要|查看|贴|发|来){0,6}(?:我|一下|个|看看?|正确|修复|解决|修改|修正|完整|后|的){0,6}(?:方案|方法|办法|代码|改法|解法|修复)(?:是什么|是啥)?",
        r"有(?:什么|没有|啥)?(?:解决|修复)?的?(?:办法|方案|方法|解法)(?:没有)?|下一步(?:做什么|怎么做|怎么办)?|我(?:该|应该)做什么|怎么(?:弄|办)?|咋办|(?:帮我)?(?:改|修|修复)(?:一?下)?",
    ),
    "why": (
        r"(?:这|那|它|到底|究竟|你说|是|但是?){0,6}为(?:什么|啥|何)(?:会|要|是|就|还|不能?)?(?:这样|这么|报错|出错|出现|发生|失败|不行|有|行|这个|该|错误|问题|报){0,6}",
        r"(?:具体)?(?:的)?原因(?:是什么|是啥|在哪)?|(?:是|因为)?(?:什么|啥)(?:原因|问题)(?:导致|造成|引起)?的?|(?:这|到底)?(?:是)?(?:怎么|咋)(?:回事|会这样|会报错|会|了)儿?",
        r"(?:这|那|它)?(?:是)?(?:什么|啥)(?:意思|情况)|我?(?:还是)?(?:看|听|搞|弄)?(?:不|没)(?:太)?(?:看|听)?(?:懂|明白|理解)|(?:详细|具体|再)?(?:解释|说明|讲解|讲讲|说说|展开)(?:一下|下|说说|讲讲|原因|为什么|看看){0,6}",
    ),
    "not_helped": (
        _SO + _AGAIN + r"?(?:没用|没有用|没啥用|没什么用|没效果|没有效果|无效|不行|不管用|不好使|没解决|没有解决|解决不了|不起作用|没起作用|没有作用|没作用|没帮助|没有帮助|没变化|没有变化|没改善|老样子"
        r"|不工作|跑不了|跑不通|没好|没能解决|不能用|不work|没反应)(?:的|啊|我的问题|问题|任何.{2})?",
        _SO + _AGAIN + r"(?:会|在|有|是|报|出|出现|提示|遇到){0,6}(?:这个|那个|同样的?|一样的?|相同的?|之前的?|老|原来的?|上面的?){0,6}(?:" + _THING + r"|一样|老?样子|这样|不行)(?:的?" + _THING + r")?",
        r"(?:这个?|那个?|这好像|好像|我的|应该|并){0,6}(?:不是|并非|不属于)(?:这个?|我的?|那个?|我这个|因为这个|这种|同一个){1,6}(?:的)?(?:问题|原因|情况|错误|意思)?|(?:错误|报错|结果)?(?:一样|没变|不变|照旧|相同)的?(?:" + _THING + r")?|同样的?" + _THING,
        r"我?(?:已经|都|早就)?(?:试过|做过|改过)了?|(?:你)?(?:说|搞|弄|判断|诊断|理解)(?:的)?(?:错了?|不对|有误)|(?:跟|和|与)我的?(?:问题|情况|错误)(?:不一样|不符|无关|没关系)|答非所问|(?:还有)?(?:别的|其他)(?:可能|原因|办法|方法)?",
    ),
    "helped": (
        _SO + r"(?:解决|搞定|修好|好使|管用|有用|有效|好|可以|行|成功|成|跑通|跑起来|能跑|能用|通过|正常|没问题|没报错|不报错|不再报错|有帮助|起作用|帮到我|work|对)(?:运行)?了",
        r"(?:这个?|你的方法|方法|确实|真的|很|非常|真|太|的确|果然){0,6}(?:有用|有效|管用|有帮助|好用|能用|好使)(?:的)?|(?:问题|错误|报错)(?:已经?)?(?:解决|消失|没有|搞定|修复)了?|(?:就是|果然是|确实是)这个(?:问题|原因)|已解决",
    ),
    "no": (
        r"不|不是|不是的|不对|否|没有|没|不用|不要|不需要|不是这样|不是吧|(?:这)?(?:两个|哪个|以上|两者|两种|它们)?(?:都|全)(?:不是|不对|没有)|哪个都不是|不太是|不对吧",
    ),
    "yes": (
        r"是|是的|对|对的|没错|嗯+|恩+|好|好的|好吧|行|可以|正确|当然|确实|应该是|是这个|就是(?:这个|它|的)?|对+|是啊|是呀|有|要|需要|当然可以|没问题|确实是|应该是的|可能是|ok|是的没错|确认",
    ),
    "unsure": (r"我?(?:也)?(?:不知道|不清楚|不确定|不太清楚|不太确定|不太知道|不晓得|没注意|忘了|忘记了|不记得|说不清|说不好|说不准|没看)(?:是哪个|哪个|版本)?|跳过|不好说|随便",),
    "ordinal": (r"(?:是|选|应该是|我选|选择|就是|我觉得是|可能是|更像|更像是)?(?:第(?P<nth>一|二|三|1|2|3|两)(?:个|种|项|条)?|(?P<side>前者|后者|前一个|后一个|前面那个|后面那个|最后一个|上面那个|下面那个))",),
    "live": (r"(?:实际|真正|直接|在沙箱里)?(?:运行|跑|执行|试运行|试跑|测试|加载)(?:一?下|一遍|一次|跑)?(?:这个?|我的|该|那个)?(?:模型|文件|它)?(?:试试|看看|看)?",),
    "english": (r"(?:用|说|讲|使用|改用|换成|切换到|切换成|切换|以|改成|翻译成|换|翻成){0,6}(?:英文|英语|english)(?:回答|回复|说|解释|讲|写|版|再说一遍|说一遍|交流|沟通)?",),
    "chinese": (r"(?:用|说|讲|使用|改用|换成|切换到|切换成|切换|以|改成|翻译成|换|翻成|换回|有){0,6}(?:中文|汉语|普通话|简体中文|chinese)(?:回答|回复|说|解释|讲|写|版|再说一遍|说一遍|交流|沟通)?",),
    "here": (
        r"(?:这|这里|以下|下面|这个|附上|上传|贴上|补充|补上|发|我|又|已|已经|重新|给你|附|把|贴|了){0,6}(?:是|就是|有|为)?(?:一下|下|个)?(?:我的?)?(?:完整|全部|详细|具体|所有|剩下|训练|保存|更多)?的?" + _FILE + r"+(?:内容|文件|堆栈|如下|在下面|在这里?|上传|发|给你|贴|来){0,6}了?",
        r"(?:看|看看|看一?下|看一看|检查|分析|诊断|瞧瞧|查|查一?下|检测)(?:一?下|下)?(?:我的?|这个?|该|那个)?(?:h5|keras)?(?:模型|文件|日志|数据|它|权重){0,6}(?:有(?:什么|没有|啥)?(?:问题|毛病)|哪里有问题|有问题|对不对|怎么了)?(?:没有|没)?",
        r"(?:我的?|这个?|那个){0,6}(?:模型|文件|日志|数据)(?:有什么|有没有|有啥|哪里有|出了什么|有)(?:问题|毛病)|如下|见下|见附件|已上传|(?:已经)?上传了|发了|在这里?|给你",
    ),
    "thanks": (
        r"(?:好的?|非常|十分|太|多|万分|ok)?(?:谢谢|感谢|多谢|谢了|谢啦|谢|3q|thx|辛苦|感激)(?:了|啦|你|您|医生|大佬|啊|帮助|回答|的|谢谢){0,6}|明白了?|懂了|我?知道了|了解了?|收到|原来如此|原来是这样",
        r"厉害|牛|不错|再见|拜拜|太好了|太棒了|很好|真棒|赞|哈哈+|好极了|学到了|没事了",
    ),
    "help": (
        r"帮助|帮帮(?:我|忙)|帮个忙|求助|求帮助|救命|帮我|help|(?:需要|求)帮(?:助|忙)|你(?:能|会|可以|都能)(?:帮我)?(?:做|干)(?:些|点)?(?:什么|啥|嘛)(?:事)?|你?(?:是|叫)(?:谁|什么|什么名字|啥|机器人|ai|人工智能|chatgpt|真人)",
        r"(?:这个?|该|你|我|它|要)?(?:怎么|如何|怎样)(?:使)?用(?:你|这个|它)?|使用(?:方法|说明)|有(?:什么|哪些)功能|(?:能|可以)?帮(?:我|忙)(?:什么|忙)?|这是(?:什么|干什么的|干嘛的|做什么的|啥)",
    ),
    "greeting": (r"你好+|您好|嗨|哈喽|哈啰|hello|hi|在吗?|在不在|有人(?:在)?|早上好|上午好|中午好|下午好|晚上好|早|早安|大家好|医生|医生好|你好医生|测试",),
}  # fmt: skip
