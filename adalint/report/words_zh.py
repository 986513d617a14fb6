"""The words of adalint in Simplified Chinese, by the English sentence that they stand for.

`{names}` are the same on both sides. Rule pages bring their own Chinese; here is everything around them. Sentences that
are not made with `said`, such as the reasons why a fix cannot be placed, are found again by their English form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CHINESE: Final[Mapping[str, str]] = {
    # Severities and effects
    "error": "错误",
    "warning": "警告",
    "info": "提示",
    "training stays the same": "训练结果不变",
    "the run that crashes today finishes": "现在会崩溃的训练可以跑完",
    "the code that raises today runs": "现在会报错的代码可以运行",
    "training changes": "训练会改变",
    "yours to make": "需要您自己修改",
    # Counts
    "{number} file": "{number} 个文件",
    "{number} error": "{number} 个错误",
    "{number} warning": "{number} 个警告",
    "{number} note": "{number} 个提示",
    "{number} finding": "{number} 处问题",
    "{number} fix": "{number} 个修复",
    # A finding
    "safe fix": "安全修复",
    "unsafe fix": "不安全修复",
    "advice": "建议",
    "{kind}: {title} ({effect})": "{kind}：{title}（{effect}）",
    "not placed: {reason}": "未能写入：{reason}",
    "to take it:": "采用它：",
    "        or:": "  或者：",
    "{setting} under [tool.adalint.intent]": "在 [tool.adalint.intent] 中写上 {setting}",
    "{name} is here": "{name} 在这里",
    "cannot be read: {error}": "无法读取：{error}",
    # The end of a run
    "Found: {tally} in {files}.": "发现：{files}中有 {tally}。",
    "Left: {tally} in {files}.": "剩余：{files}中有 {tally}。",
    "`adalint fix` mends {number}.": "`adalint fix` 可以修好其中 {number} 处。",
    "{number} can be mended once you decide: see above.": "{number} 处在您决定之后可以修好：见上文。",
    "{number} can be mended once you decide: `adalint fix` says how.": (
        "{number} 处在您决定之后可以修好：运行 `adalint fix` 查看办法。"
    ),
    "{number} suppressed.": "已忽略 {number} 处。",
    "Nothing found in what could be checked.": "能检查的部分没有发现问题。",
    "Nothing to check: no Python, JSON or YAML file there.": "没有可检查的内容：那里没有 Python、JSON 或 YAML 文件。",
    "All clear: {files} read, AdaLoRA is not in use.": "一切正常：读了 {files}，没有使用 AdaLoRA。",
    "All clear: {files} with AdaLoRA, nothing to report.": "一切正常：{files}用到了 AdaLoRA，没有问题。",
    # What `fix` does
    "Fixed {findings}.": "已修复 {findings}。",
    "Would fix {findings}.": "将修复 {findings}。",
    "{place}: fixed {code} {name}: {title} ({effect})": "{place}：已修复 {code} {name}：{title}（{effect}）",
    "{place}: would fix {code} {name}: {title} ({effect})": "{place}：将修复 {code} {name}：{title}（{effect}）",
    "{place}: not fixed {code} {name}: {reason}": "{place}：未修复 {code} {name}：{reason}",
    "{path}: not fixed: {reason}": "{path}：未修复：{reason}",
    "{path}: {codec}: this diff is for reading only": "{path}：{codec}：此差异仅供阅读",
    "{place}: {code} not placed: {title}: {reason}": "{place}：{code} 未能写入：{title}：{reason}",
    "{place}: {code} waits for you: {title} ({effect})": "{place}：{code} 等您决定：{title}（{effect}）",
    # What `verify` finds
    "{fixes} checked against the trace.": "已用推演核对 {fixes}。",
    "{fixes} checked against the trace, {number} not as claimed.": "已用推演核对 {fixes}，其中 {number} 个与所述不符。",
    "No fix to verify.": "没有可核对的修复。",
    "{certainty}; the fix claims: {effect} ({safety})": "{certainty}；修复声明：{effect}（{safety}）",
    "this is not what the fix claims: please report it as a bug in {code}": (
        "与修复的声明不符：请作为 {code} 的缺陷报告"
    ),
    "assumed: {assumption}": "假设：{assumption}",
    "proven": "已证明",
    "holds for all tried": "对试过的所有取值成立",
    "cannot say": "无法判断",
    "safe": "安全",
    "unsafe": "不安全",
    "display": "仅显示",
    "preserves": "保持",
    "completes": "跑完",
    "repairs": "修好",
    "changes": "改变",
    "identical: PEFT reads the same configuration": "完全相同：PEFT 读到的是同一份配置",
    "cannot say: it depends on values that the text does not tell": "无法判断：取决于文中没有写明的值",
    "{story} (for {values})": "{story}（当 {values}）",
    "breaks: it finishes today, and {failure} afterwards": "变坏：现在能跑完，修改后{failure}",
    "differs: {names} is not what PEFT reads today": "不同：{names} 与 PEFT 现在读到的不一样",
    "differs: {names} are not what PEFT reads today": "不同：{names} 与 PEFT 现在读到的不一样",
    "cannot say: {story}, for another mistake in the same configuration": (
        "无法判断：{story}，因为同一配置中还有别的错误"
    ),
    "{failure}, runs now": "现在{failure}，修改后可以运行",
    "{failure}, then {failure_}": "现在{failure}，修改后{failure_}",
    "{failure}, finishes now; the steps before it are the same": (
        "现在{failure}，修改后可以跑完；在此之前的每一步都相同"
    ),
    "{failure}, finishes now; the steps before it differ": "现在{failure}，修改后可以跑完；在此之前的步骤有所不同",
    "crashes at step {step} ({exception})": "在第 {step} 步崩溃（{exception}）",
    "raises {exception} at {stage}": "在{stage}抛出 {exception}",
    "construction": "构造时",
    "wrap": "包装模型时",
    "forward": "前向传播时",
    "first mask": "第一次剪枝时",
    "step": "训练途中",
    "save": "保存时",
    "load": "加载时",
    "update_and_allocate is called after every optimizer step, with 0, 1, 2 …": (
        "每次优化器更新后都以 0, 1, 2 … 调用 update_and_allocate"
    ),
    "{number} modules are adapted": "适配了 {number} 个模块",
    "{name} is one of {numbers}": "{name} 取 {numbers} 之一",
    "{name} is accepted by PEFT": "PEFT 接受 {name} 的值",
    # `rule` and `rules`
    "code": "代码",
    "name": "名称",
    "severity": "级别",
    "where": "位置",
    "fixes": "修复",
    "summary": "说明",
    "What it says": "提示信息",
    "Its fixes": "修复方式",
    "What it does": "作用",
    "Why it matters": "为什么重要",
    "Bad": "错误示例",
    "Fixed": "修复后",
    "Good": "正确示例",
    "Fix safety": "修复的安全性",
    "References": "参考",
    "The page itself is in English.": "以下正文为英文。",
    # Why a fix is not offered or not written
    "the ranks that it leaves cannot be shown to be valid for every value": "无法证明修复后的秩对所有取值都有效",
    "it would lead to {code} ({name})": "会引出 {code}（{name}）",
    "the result could not be written: {error}": "结果无法写入：{error}",
    "{name} is given by an expression that may do more than give a value": "{name} 的表达式除了取值可能还有别的作用",
    "the file reads {name} of this configuration again": "文件后面还会读取该配置的 {name}",
    "{name} is written twice": "{name} 写了两次",
    "{name} is written elsewhere": "{name} 写在别处",
    "{name} is not written here": "{name} 不写在这里",
    "{name} comes from line {row}, which may feed other places too": "{name} 来自第 {row} 行，那里可能还供别处使用",
    "a comment stands inside the value of {name}": "{name} 的值中间有注释",
    "the call cannot be read on its own": "这个调用无法单独解析",
    "a comment stands where the comma would go": "要加逗号的地方有注释",
    "its line ends inside a string or with a backslash, where no comment can stand": (
        "该行在字符串内部或以反斜杠结束，不能写注释"
    ),
    "the file cannot be split into tokens": "文件无法切分为词法单元",
    "line {row} holds an alias; change the mapping that it stands for": "第 {row} 行是别名；请修改它所指的映射",
    "{name} is written already": "{name} 已经写了",
    "JSON has no comments": "JSON 没有注释",
    "a comment is one line of text": "注释只能是一行文字",
    "fields belong under `init_args`, which is not written": "字段应写在 `init_args` 之下，而它没有写",
    "without this {name} the one that `<<` merges would count": "去掉这个 {name} 之后，`<<` 合并进来的那个就会生效",
    "{name} feeds other places through a YAML anchor; change it by hand on line {row}": (
        "{name} 通过 YAML 锚点供别处使用；请手动修改第 {row} 行"
    ),
    "{language} has no expressions": "{language} 没有表达式",
    "{text} is not how {language} writes that value": "{text} 不是 {language} 对该值的写法",
    "the value of {name} takes several lines": "{name} 的值占了多行",
    "the key is not a plain or quoted string": "键不是普通字符串或带引号的字符串",
    "{name} has no `:` in front of a value": "{name} 的值前面没有 `:`",
    "a scalar goes on behind the end of that line, so that no comment can stand there": (
        "标量延续到该行之后，那里不能写注释"
    ),
    "a comment stands between the entries that would move together": "要一起移动的条目之间有注释",
    "a pair without braces in a list": "列表里不带花括号的键值对",
    "comments stand between the entries that would go": "要删除的条目之间有注释",
    "the edits would not leave a readable file": "修改后文件将无法读取",
    "the edits would change more than the configuration": "修改会影响配置之外的内容",
    "the list would be empty": "列表会变空",
    "a comment stands beside an item that would go": "要删除的项旁边有注释",
    "a comment or another value stands beside an item that would go": "要删除的项旁边有注释或别的值",
    "{name} is no list": "{name} 不是列表",
    "the list is not written in this place": "列表不写在这里",
    "the list cannot be read on its own": "这个列表无法单独解析",
    "a tuple of one needs a comma of its own": "只有一项的元组需要自己的逗号",
    "Python takes {name} only once": "Python 只接受 {name} 出现一次",
    "{name} cannot be written there exactly": "{name} 无法准确地写在那里",
}
