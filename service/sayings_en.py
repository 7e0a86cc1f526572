"""What people say about their problem and the answer, in English, as patterns of whole clauses.

A clause is lower case, without punctuation at its ends. The first kind that fits counts. Repetitions have a limit, so that no
message takes long.
"""

from __future__ import annotations

from .sayings import Kind

_IT = (
    r"(?:it|this|that|the (?:fix|solution|change|answer|suggestion|advice)|your (?:fix|solution|"
    r"answer|suggestion|advice))"
)
_ERROR = r"(?:error|errors|problem|issue|exception|traceback|message|thing|bug)"
_NOT = r"(?:not|n't|nt| not)"
_SEE = (
    r"(?:(?:show|give|list|tell|see|have|get|send)(?: me)? |what(?: is|'s|s| are) |(?:what|how) about |and |"
    r"do you have |any |are there any )?"
)
_THE = r"(?:the |your |any |a |some |more )?"
_ATTACHED = (
    r"(?:traceback|stack ?trace|error|log|output|message|code|script|model|weights|file|data|csv|history|training log)"
)

ENGLISH: dict[Kind, tuple[str, ...]] = {
    "anew": (
        (
            r"(?:i have |here is |here's |now )?(?:a |an )?(?:new|another|other|different|next) (?:problem|"
            r"question|issue|error|topic)|"
            r"one more (?:question|thing|problem)|(?:let's )?(?:start (?:over|again|anew|from scratch)|begin again)|"
            r"(?:forget|ignore|drop)(?: about)? (?:it|that|this|all that|the (?:last|previous|old) (?:one|problem|error))|reset|"
            r"never ?mind|nvm"
        ),
    ),
    "done": (
        (
            r"(?:i(?: have|'ve)? )?(?:just )?(?:done|did (?:it|that|this|so)|(?:changed|applied|replaced|added) (?:it|that|this))"
            r"(?: (?:as you said|now|already))?|done (?:it|that|with (?:it|that))|(?:ok |okay )?(?:it is |it's )?done"
        ),
    ),
    "simple": (
        r"what does (?:it|this|that) (?:all )?mean (?:in|for) (?:simple |plain |easy |a )?(?:words|terms|english|beginners?|dummies)",
        (
            r"(?:(?:explain|say|tell|put)(?: (?:it|this|that|me|to me|again)){0,3} )(?:more |much |"
            r"a bit )?(?:simpler|simply|simple|easier|easy|"
            r"shorter|short|in short|briefly|in (?:simple|easy|plain|other) (?:words|terms|english|language)|"
            r"for (?:beginners|dummies|a beginner)|"
            r"like i'm (?:5|five))(?: (?:words|terms|way))?"
        ),
        (
            r"(?:in (?:simple|plain|easy) (?:words|terms|english)|simpler|shorter|tl;?dr|eli5|too (?:complicated|"
            r"long|difficult|complex)|"
            r"(?:that's |that is |it's )?too (?:complicated|long|difficult|hard)(?: for me)?|"
            r"i(?:'m| am) (?:a |an )?(?:total |complete |absolute )?(?:beginner|newbie|noob|new to (?:this|keras|python|tensorflow)))"
        ),
    ),
    "where": (
        (
            r"(?:(?:in |on |at )?(?:which|what) (?:line|file|place|part)|where)(?: (?:exactly|is|was|does|did|the|"
            r"it|this|that|error|problem|bug|fail|fails|happen|"
            r"happens|in|my|code|is it|causes|caused|wrong|crash|crashes|crashed|line|number|of)){0,7}"
        ),
    ),
    "ruled_out": (
        (
            r"(?:what(?:'s|s)?|which(?: (?:ones?|topics?|causes?|problems?))?) (?:(?:did|have|do) you (?:already )?"
            r"(?:rule|ruled|exclude|excluded)(?: out)?|(?:(?:is|was|are|were|has been|have been|been) )?(?:already )?"
            r"(?:ruled out|excluded))(?: (?:so far|already|yet|until now))?"
        ),
    ),
    "severity": (
        (
            r"(?:is|are|was) (?:it|this|that|they|these|those|the (?:error|problem|issue|warning|warnings|message))"
            r"(?: (?:really|very|that|so|actually|something))? (?:a )?(?:bad|serious|severe|dangerous|critical|important|"
            r"harmful|harmless|(?:big |real )?(?:problem|deal|issue)|(?:safe|ok|okay|fine) to ignore|ignorable|to worry about)|"
            r"serious|severe|dangerous|harmless|ignore it or not"
        ),
        (
            r"(?:(?:can|may|could|should) i )(?:just |simply |safely )?(?:ignore|leave|disregard)(?: (?:it|this|that|these|those|them|"
            r"the|warnings?|errors?|messages?|problem|as it is|like this)){0,3}|"
            r"(?:it is |is it )?safe to ignore(?: (?:it|this|that|them))?"
        ),
        (
            r"(?:should|must|do) i (?:have to |need to )?(?:worry|be worried|be concerned|care|fix (?:it|this|that) at all)"
            r"(?: about (?:it|this|that|them|these))?|how (?:bad|serious|severe|dangerous)(?: is (?:it|this|that))?|"
            r"does (?:it|this|that) (?:really |even )?matter|"
            r"what (?:happens )?if i (?:just )?(?:ignore|leave|do not fix|don't fix) (?:it|this|that)"
        ),
    ),
    "evidence": (
        rf"{_SEE}{_THE}(?:evidence|proof|reasons|findings|reasoning)(?: (?:for|of|behind) (?:this|that|it))?",
        r"how (?:do|can|did) you (?:know|tell|be sure|find out)(?: (?:this|that|it))?",
        r"why do you (?:think|say|believe)(?: (?:so|this|that|it))?(?: is (?:so|it|this|that))?",
        r"what makes you (?:think|say|believe|so sure)(?: (?:so|this|that))?",
        r"(?:are you|how) (?:really )?(?:sure|certain)(?: are you)?(?: about (?:it|this|that))?",
        r"what did you (?:find|see|look at|check)(?: in (?:it|the model|my model|the file|my file))?|prove it",
    ),
    "sources": (
        (
            rf"{_SEE}{_THE}(?:official )?(?:sources?|references?|docs?|documentation|links?|"
            rf"citations?)(?: (?:for|to|about) (?:this|that|it|the (?:docs|documentation|source|page)))?"
        ),
        (
            r"where (?:is|was) (?:this|that|it) (?:documented|written|from|described)|"
            r"where can i read (?:more|about it|that)"
        ),
        r"where (?:does|did) (?:this|that|it) come from|says who|according to (?:whom|what)|read more",
    ),
    "others": (
        (
            r"(?:is there |are there |do you (?:have|know) )?(?:another|any other|some other|other|"
            r"a different) (?:ways?|solutions?|fix|fixes|options?|"
            r"ideas?|possibilit(?:y|ies)|causes?|reasons?)(?: to (?:fix|solve|do) (?:it|this|that))?|think again|try again"
        ),
        (
            r"(?:is it |could it be |maybe |any|what )?(?:something|anything|thing|what)? ?"
            r"else(?: could it be| can it be| is it| might it be| possible)?"
        ),
        (
            r"(?:show |any |what are )?(?:me )?(?:the |some )?"
            r"(?:other|others|alternatives?|possibilities|(?:what about )?the other one|other (?:causes|reasons|"
            r"topics|options|ideas|possibilities))"
        ),
    ),
    "fix": (
        (
            rf"{_SEE}{_THE}(?:full |complete |whole |exact |correct |fixed |working )?(?:fix|solution|code|"
            rf"repair|remedy|workaround|example)"
            r"(?: (?:code|for (?:this|that|it)|again))?"
        ),
        r"how (?:do|can|could|should|to) ?(?:i|we|you)? ?get rid of (?:it|this|that|them|these|the (?:warnings?|errors?|messages?))",
        r"(?:so |and )?how (?:do|can|should|could|would|to|shall) ?(?:i|we|you|one)? ?(?:to )?"
        r"(?:fix|solve|repair|resolve|correct|avoid|change|do)(?: (?:it|this|that|(?:this|the|that|my) "
        + _ERROR
        + r"))?(?: then)?",
        (
            r"(?:so |and )?what (?:should|do|can|must|shall) (?:i|we) (?:do|change|try)"
            r"(?: (?:now|next|then|instead|about (?:it|this|that)|to fix (?:it|this|that)))?"
        ),
        (
            r"(?:can you )?(?:repair|mend)(?: (?:it|this|that|the model|my model|the file))?|how (?:do|"
            r"can) i (?:know|check|verify|test|see)"
            r"(?: (?:if|that|whether))? (?:it(?:'s| is)?|this(?: is)?|that(?: is)?|the fix) (?:works|worked|fixed|"
            r"solved|helped|right|correct|ok)"
        ),
        (
            r"what now|now what|what next|next step|how to|how|can you fix (?:it|this|that)|fix (?:it|this|that)|"
            r"how (?:fix|solve|repair)(?: it| this)?|"
            r"where (?:do|should|must|shall|can) i (?:put|write|add|insert|place|paste|change)(?: .{1,40})?"
        ),
    ),
    "why": (
        (
            r"(?:can you )?be more (?:specific|precise)|why(?: not| so| though| exactly)?|but why|how come|"
            r"what|huh|pardon|reason|cause|the (?:reason|cause)"
        ),
        (
            r"why (?:is|was|does|did|do|would|has) (?:this|that|it|they|i|my code|the error)"
            r"(?: (?:so|happen|happening|happened|occur|occurring|fail|failing|break|broken|not work|"
            r"not working|the case|wrong|raised))?"
            r"(?: (?:get|getting|see|seeing|have) (?:this|that|it)(?: error)?)?"
        ),
        (
            r"(?:what(?: is|'s|s| was)|tell me|explain|show me) (?:the )?(?:root )?(?:reason|cause|causes|explanation)"
            r"(?: (?:for|of|behind) (?:this|that|it|the error))?"
        ),
        (
            r"what(?:'s|s| is|)? ?(?:causes|caused|causing|behind) (?:this|that|it|the error)|"
            r"what (?:happened|went wrong|is happening)"
        ),
        (
            r"explain(?: (?:it|this|that|why|more|further|in detail|please|to me)){0,6}|tell me (?:why|more)|"
            r"more (?:details?|info|information)"
        ),
        (
            r"what does (?:this|that|it) mean|i (?:don't|do not|dont|didn't|still don't) (?:understand|"
            r"get)(?: (?:it|this|that|why))?"
        ),
    ),
    "not_helped": (
        (
            r"(?:this|that|it|that's|it's|its|this's) ?(?:is |was )?(?:isn't|wasn't|not)(?: really| actually)? "
            r"(?:it|that|this|my (?:problem|issue|error|case)|the (?:problem|issue|cause|error)|right|correct)"
        ),
        (
            rf"(?:{_IT} )?(?:still |really |just |also )?(?:did|does|do|has|have|is|was|could|would){_NOT} "
            r"(?:really |actually |quite )?(?:help|helped|helping|helpful|work|worked|working|fix|fixed|"
            r"solve|solved|change|changed|do|make"
            rf"|it|right|correct|the|my|what|any|a)(?: (?:it|this|that|anything|a thing|me|my|the|any|one|"
            rf"difference|better|case|cause|right|same|"
            rf"{_ERROR}|i have|i mean|i meant|at all|either|for me|here|unfortunately|though|sadly)){{0,6}}"
        ),
        (
            rf"(?:(?:i|it|i'm|im|i am|they|there is|there's) )?still (?:(?:get|getting|got|have|having|see|"
            rf"seeing|is|fails?|failing|crash(?:es|ing)?|"
            rf"happens|happening|broken|wrong|nothing|no luck|not|working|work|doesn't|does not|doesnt|the|"
            rf"this|that|same|exact|there|persists|"
            rf"exists|occurs|occurring|it|an|appears|{_ERROR}|message|nan|as before|after that|here|help|"
            rf"fixed|solved)(?: |$)){{1,6}}"
        ),
        (
            rf"(?:it(?:'s| is) |i (?:get|have|got|see) )?(?:exactly |always )?(?:the |"
            rf"this )?(?:exact )?same (?:old )?(?:{_ERROR}|result)"
            r"(?: (?:again|as before|persists|remains|here|still|occurs|after that)){0,6}"
        ),
        (
            r"(?:the |this |that |same )?(?:error|problem|issue) (?:persists|remains|is still (?:there|"
            r"the same)|stays|is the same|comes back|came back)"
        ),
        (
            r"no (?:luck|change|effect|difference|success|improvement|use|help)(?: (?:at all|either|here|"
            r"so far|unfortunately))?|nothing (?:changed|helps|helped)"
        ),
        (
            r"(?:that's |that is |it's |it is |this is |your (?:answer|diagnosis) is )?(?:totally |"
            r"completely |just )?(?:wrong|useless|incorrect|not helpful|"
            r"unhelpful|not it|not right|not correct|not (?:my|the) (?:problem|issue|error|case|cause)|"
            r"something else|another problem|a different problem)"
        ),
        (
            r"(?:i(?: have|'ve)? )?(?:already )?tried(?: (?:that|this|it|all that|the fix|everything))?(?: already| before)?|"
            r"(?:i(?: have|'ve)? )?(?:already (?:did|done)|did (?:all that|everything))(?: (?:that|this|it|the fix))?(?: before)?|"
            r"wrong (?:answer|diagnosis|topic|problem|one)|this is not what i (?:asked|meant|mean|need|want)"
        ),
    ),
    "helped": (
        (
            rf"(?:(?:{_IT}|it's|that's|everything|all|now it|it all|yes it|yes that) )?(?:has |have |is |'s |"
            rf"was |just |"
            rf"really |indeed |actually |finally |now ){{0,6}}"
            r"(?:works?|worked|working|helped|helps|helpful|useful|solved|fixed|resolved|did it|"
            r"did the trick|running|runs|trains|loads|was it|fine|gone)"
            r"(?: (?:it|my|the|this|that|me|problem|issue|error|a lot|now|again|perfectly|great|fine|well|"
            r"like a charm|for me|here|very much|indeed)){0,6}"
        ),
        (
            r"(?:the |my )?(?:problem|issue|error|bug|warning)(?: is| was|'s| has been)? (?:now )?(?:solved|"
            r"fixed|resolved|gone|disappeared)(?: now)?"
        ),
        (
            r"i (?:have |'ve )?(?:just )?(?:fixed|solved) (?:it|this|that)|(?:that|this|it) was (?:it|"
            r"the (?:problem|issue|cause|reason|bug))|no more errors?|"
            r"no errors? (?:any ?more|now)|you (?:fixed|solved) it"
        ),
    ),
    "no": (
        r"no+|nope|nah|n|no it (?:isn't|is not|doesn't)|not really|i don't think so|it (?:isn't|is not)|don't|negative",
        (
            r"(?:it's |it is |it was )?(?:neither|none)(?: of (?:them|these|those|the two|both|the above))?|"
            r"not (?:that|this)(?: one)?"
        ),
    ),
    "yes": (
        (
            r"(?:yes|yep|yeah|yup|ya|y|sure|ok|okay|k|right|correct|exactly|true|indeed|absolutely|"
            r"definitely|of course|probably|i think so)"
            r"(?: (?:yes|it is|it does|i do|please|exactly|sure|that one|that's it|that is it|right|"
            r"of course|do it|go ahead)){0,6}"
        ),
        (
            r"(?:that's|that is|you're|you are) (?:right|correct|it|the one)|i do|it is|it does|go ahead|"
            r"do it|sounds (?:right|good)"
        ),
    ),
    "unsure": (
        (
            r"(?:i )?(?:don't|do not|dont|can't|cannot) (?:know|tell|say|remember)(?: (?:it|that|which|"
            r"which one|the version))?|dunno|idk|skip(?: it| this)?"
        ),
        (
            r"(?:i(?:'m|m| am) )?(?:not (?:really |quite |so )?(?:sure|certain)|unsure)(?: which(?: one)?)?|"
            r"(?:i have |i've )?no idea|no clue|maybe|pass"
        ),
    ),
    "ordinal": (
        (
            r"(?:it's |it is |i think |i mean |i'd say |probably |definitely |option |number |answer |no |"
            r"nr |#){0,6}(?:the )?"
            r"(?P<nth>first|1st|1|one|a|second|2nd|2|two|b|third|3rd|3|three|c|former|latter|last)(?: (?:one|"
            r"option|of them|is it|i think|fits)){0,6}"
        ),
    ),
    "live": (
        (
            r"(?:run|execute|test|load|do)(?: (?:it|the|my|this|that|them|a|model|models|file|live|check|run|"
            r"test|examination|probes?|really|too|for real)){1,6}"
        ),
        r"live(?: (?:check|run|test|examination|probes?|please))?|run",
    ),
    "here": (
        (
            r"(?:i(?: have|'ve)? |we )(?:have |get |got |see )?(?:an?|this|some) (?:error|problem|issue|bug|"
            r"exception)|(?:it|there) (?:is|was) an? error"
        ),
        (
            rf"(?:(?:and |so )?(?:here|this|that|below|these|attached|following)(?: (?:is|are|comes)|'s|"
            rf"s)? )?{_THE}(?:my |full |complete |whole |entire |"
            rf"rest of the |other |actual |exact |trained |saved |keras |"
            rf"h5 ){{0,6}}{_ATTACHED}s?(?: (?:message|log|file|output|text|again|in full|below|"
            rf"attached)){{0,6}}"
        ),
        (
            r"here(?: (?:it is|you go|you are|they are|goes))?|see (?:below|attached|attachment|above)|"
            r"as attached|attached|uploaded|below"
        ),
        (
            rf"(?:i(?:'ve| have)? )?(?:just )?(?:attach|attached|upload|uploaded|dropped|added|sent|"
            rf"pasted)(?: (?:the|my|a|it|this))?(?: {_ATTACHED}){{0,6}}"
        ),
        (
            r"(?:check|examine|inspect|analy[sz]e|diagnose|look at|look into|(?:take|have) a look(?: at)?|"
            r"look|debug|review)(?: (?:this|the|my|it|that|these|"
            r"one|keras|h5|model|file|log|data|sample|weights|training|here|for me)){0,6}"
        ),
        (
            r"what(?:'s|s| is) wrong(?: (?:with|in|about|here|there|this|it|the|my|model|file|log|"
            r"data)){0,6}|is (?:there )?(?:anything|something) wrong"
            r"(?: (?:with|in|this|it|the|my|model|file|log|data)){0,6}|is (?:this|my|the) (?:model|file|log|"
            r"data) (?:ok|okay|fine|good|broken|correct|healthy)"
        ),
    ),
}
