"""The words of adalint in Simplified Chinese, by the English sentence that they stand for.

`{names}` are the same on both sides. Rule pages bring their own Chinese; here is everything around them. Sentences that
are not made with `said`, such as the reasons why a fix cannot be placed, are found again by their English form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adalint.report.words_zh_migrations import MIGRATIONS

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
    "the search may choose {choice}: {problem}": "搜索可能选中 {choice}：{problem}",
    "cannot be read: {error}": "无法读取：{error}",
    # The end of a run
    "Not shown here: {findings}. `adalint check` shows all.": (
        "此处未列出：{findings}。用 `adalint check` 可查看全部。"
    ),
    "Found: {tally} in {files}.": "发现：{files}中有 {tally}。",
    "Left: {tally} in {files}.": "剩余：{files}中有 {tally}。",
    "`adalint fix` mends {number}.": "`adalint fix` 可以修好其中 {number} 处。",
    "{number} can be mended once you decide: see above.": "{number} 处在您决定之后可以修好：见上文。",
    "{number} can be mended once you decide: `adalint fix` says how.": (
        "{number} 处在您决定之后可以修好：运行 `adalint fix` 查看办法。"
    ),
    "{number} suppressed.": "已忽略 {number} 处。",
    "{number} known to the baseline.": "基线已知 {number} 处。",
    "{number} gone: `adalint baseline` takes out what no longer occurs.": (
        "{number} 处已不存在：运行 `adalint baseline` 将其删除。"
    ),
    "Up to date: nothing in the baseline is gone.": "已是最新：基线中的问题都还存在。",
    "{path} holds {findings}": "{path} 记有 {findings}",
    "{number} new": "新增 {number} 处",
    "{number} taken out, which no longer occur": "删除已不存在的 {number} 处",
    "{number} new, not in the baseline: mend what you can, `adalint baseline --add-new` takes in the rest.": (
        "{number} 处是新的，不在基线里：能修的先修，其余用 `adalint baseline --add-new` 收入基线。"
    ),
    "{number} of files that cannot be read, which no baseline hides: mend or exclude them.": (
        "{number} 处来自无法读取的文件，基线不会隐藏它们：请修好或排除这些文件。"
    ),
    "Nothing found, so that there is no need of a baseline.": "没有发现问题，不需要基线。",
    # What `init` asks
    "AdaLoRA never reads `r`. What did you mean by it?": "AdaLoRA 从不读取 `r`。您写它的本意是什么？",
    "`target_r` must lie below `init_r`. What did you mean where it does not?": (
        "`target_r` 必须小于 `init_r`。在不满足的地方，您的本意是什么？"
    ),
    "the rank that training starts at: it is renamed to init_r, and training changes": (
        "训练开始时的秩：改名为 init_r，训练会改变"
    ),
    "the rank to end at: it becomes target_r, init_r one half above it, and training changes": (
        "最终的秩：成为 target_r，init_r 取其一倍半，训练会改变"
    ),
    "nothing: what PEFT does today is written down, and training stays the same": (
        "没有意义：写明 PEFT 现在的行为，训练结果不变"
    ),
    "the same two numbers the other way round": "两个数字写反了：交换它们",
    "init_r is right: target_r becomes two thirds of it": "init_r 是对的：target_r 改为它的三分之二",
    "target_r is right: init_r becomes one half more than it": "target_r 是对的：init_r 改为它的一倍半",
    "leave it open": "暂不决定",
    "{findings} in {files}:": "{files}中有 {findings}：",
    "  … and {number} more": "  …… 另有 {number} 处",
    "{path}: wrote {what} under intent.": "{path}：已在 intent 中写入 {what}。",
    "Nothing to ask: no fix waits for a decision.": "没有要问的：没有修复在等待决定。",
    "Left open: {keys}.": "暂未决定：{keys}。",
    "Next: `adalint fix --diff`, and `adalint baseline` for what is to stay.": (
        "接下来：`adalint fix --diff`；要保留的用 `adalint baseline`。"
    ),
    "{path}: {number} gone: `adalint baseline` takes out what no longer occurs.": (
        "{path}：{number} 处已不存在：运行 `adalint baseline` 将其删除。"
    ),
    "Nothing to check: no file has changed since {rev}.": "没有可检查的内容：自 {rev} 以来没有文件改动。",
    "Nothing found in what could be checked.": "能检查的部分没有发现问题。",
    "Nothing to check: no Python, JSON, YAML, shell, notebook or Markdown file there.": (
        "没有可检查的内容：那里没有 Python、JSON、YAML、shell、笔记本或 Markdown 文件。"
    ),
    "All clear: {files} read, AdaLoRA is not in use.": "一切正常：读了 {files}，没有使用 AdaLoRA。",
    "All clear: {files} with the word AdaLoRA, and no configuration of it.": (
        "一切正常：{files}提到了 AdaLoRA，但没有它的配置。"
    ),
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
    "{fixes} checked on the reference adapter.": "已在参考适配器上核对 {fixes}。",
    "{fixes} checked on PEFT {release}.": "已在 PEFT {release} 上核对 {fixes}。",
    "{number} not as claimed.": "{number} 个与所述不符。",
    "Without NumPy the trace alone answers; to run both sides: pip install 'adalint[verify]'": (
        "没有 NumPy，只能靠推演回答；要真正运行前后两边：pip install 'adalint[verify]'"
    ),
    "PEFT {release} was run, but the target is PEFT {target}, which may do something else.": (
        "运行的是 PEFT {release}，而目标版本是 PEFT {target}，行为可能不同。"
    ),
    "{title}: {story} ({certainty}; claims {effect}, {safety})": (
        "{title}：{story}（{certainty}；声明{effect}，{safety}）"
    ),
    "before: {facts}": "修改前：{facts}",
    "after: {facts}": "修改后：{facts}",
    "it runs": "可以运行",
    "ranks in memory {ranks}": "内存中的秩 {ranks}",
    "ranks saved {ranks}": "保存的秩 {ranks}",
    "no rank_pattern": "没有 rank_pattern",
    "parameters {start}": "参数量 {start}",
    "parameters {start}, saved {saved}": "参数量 {start}，保存 {saved}",
    "scale {scale}": "缩放 {scale}",
    "budget before: {chart} {first} to {last} ranks at step {step}": (
        "修改前的预算：{chart} {first} 到第 {step} 步的 {last}"
    ),
    "budget after:  {chart} {first} to {last} ranks at step {step}": (
        "修改后的预算：{chart} {first} 到第 {step} 步的 {last}"
    ),
    "run on {engine}: {steps} steps": "在{engine}上运行：{steps} 步",
    "run on {engine}: {steps} steps, every length divided by {factor}": (
        "在{engine}上运行：{steps} 步，所有长度除以 {factor}"
    ),
    "the reference adapter": "参考适配器",
    "traced only: {reason}": "仅推演：{reason}",
    "traced only: without NumPy nothing is run, pip install 'adalint[verify]'": (
        "仅推演：没有 NumPy，无法运行，pip install 'adalint[verify]'"
    ),
    "it cannot be told how it ends": "无法判断结局",
    "the adapter is too large to be run": "适配器太大，无法运行",
    "the run is too long, and no shorter one ends alike": "训练太长，且没有结局相同的更短训练",
    "it depends on {names}, which no stand-in can show": "取决于 {names}，替身模型无法体现",
    "a stand-in for the model cannot show what changes": "替身模型无法体现改变之处",
    "{name} is about the model, which a stack of layers is not": "{name} 与模型有关，几层线性层无法代替",
    "assumed values: {run} of {number} combinations are run, all are traced": (
        "假设的取值：{number} 种组合全部推演，其中 {run} 种实际运行"
    ),
    "internal error, please report it: tensors show {difference}": "内部错误，请报告：张量运行显示 {difference}",
    "it is not what it claims to be ({effect}): {story}": "与其声明（{effect}）不符：{story}",
    "trace and tensors disagree, which is a mistake in adalint: {difference}": (
        "推演与张量运行不一致，是 adalint 的错误：{difference}"
    ),
    "cannot say: what {names} does depends on the model": "无法判断：{names} 的作用取决于模型",
    "cannot say: nothing came of it in a shorter run, but {names} is not what PEFT reads today": (
        "无法判断：较短的训练中没有差别，但 {names} 与 PEFT 现在读到的不一样"
    ),
    "cannot say: nothing came of it in a shorter run, but {names} are not what PEFT reads today": (
        "无法判断：较短的训练中没有差别，但 {names} 与 PEFT 现在读到的不一样"
    ),
    "identical in this run, although {names} is not what PEFT reads today": (
        "这次训练完全相同，尽管 {names} 与 PEFT 现在读到的不一样"
    ),
    "identical in this run, although {names} are not what PEFT reads today": (
        "这次训练完全相同，尽管 {names} 与 PEFT 现在读到的不一样"
    ),
    "differs from optimizer step {step} of a run divided by {factor} on, by up to {most} in loss: "
    "{names} is not what PEFT reads today": (
        "在长度除以 {factor} 的训练中，从优化器第 {step} 步起不同，损失最多相差 {most}："
        "{names} 与 PEFT 现在读到的不一样"
    ),
    "differs from optimizer step {step} on, by up to {most} in loss: {names} is not what PEFT reads today": (
        "从优化器第 {step} 步起不同，损失最多相差 {most}：{names} 与 PEFT 现在读到的不一样"
    ),
    "differs from optimizer step {step} of a run divided by {factor} on, by up to {most} in loss: "
    "{names} are not what PEFT reads today": (
        "在长度除以 {factor} 的训练中，从优化器第 {step} 步起不同，损失最多相差 {most}："
        "{names} 与 PEFT 现在读到的不一样"
    ),
    "differs from optimizer step {step} on, by up to {most} in loss: {names} are not what PEFT reads today": (
        "从优化器第 {step} 步起不同，损失最多相差 {most}：{names} 与 PEFT 现在读到的不一样"
    ),
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
    # What `plan` and `explain` tell
    "No configuration to plan.": "没有可以规划的配置。",
    "{place}: AdaLoRA in PEFT {release}": "{place}：PEFT {release} 中的 AdaLoRA",
    "{place}: AdaLoRA in PEFT {release}, reading {number} of {count}": (
        "{place}：PEFT {release} 中的 AdaLoRA，共 {count} 种读法中的第 {number} 种"
    ),
    "  after `{command}` ({mended}):": "  运行 `{command}` 之后（{mended}）：",
    "  after `{command}`:": "  运行 `{command}` 之后：",
    "ranks": "秩",
    "scale": "缩放",
    "parameters": "参数量",
    "initial": "初始阶段",
    "budgeting": "剪枝阶段",
    "final": "最终阶段",
    "masks": "掩码",
    "run": "运行",
    "values": "取值",
    "assumed": "假设",
    "unknown": "未知",
    "{number} module": "{number} 个模块",
    "{start} in every module at the start, {target} on average at the target": (
        "开始时每个模块 {start}，目标是平均 {target}"
    ),
    "{name}: tell it with --assume '{name_}=N'": "{name}：请用 --assume '{name_}=N' 告知",
    "steps {steps}: all ranks are in use": "第 {steps} 步：使用全部的秩",
    "steps {steps}: a mask at every multiple of {every}, the first at step {step}": (
        "第 {steps} 步：每逢 {every} 的倍数剪枝一次，第一次在第 {step} 步"
    ),
    "steps {steps}: a mask at every step, the first at step {step}": (
        "第 {steps} 步：每步剪枝一次，第一次在第 {step} 步"
    ),
    "steps {steps}: no mask is due": "第 {steps} 步：没有要做的剪枝",
    "steps {steps}: the forced mask at step {step}, the same ranks from there on": (
        "第 {steps} 步：第 {step} 步强制剪枝，此后秩不再变化"
    ),
    "steps {steps}: no mask of its own": "第 {steps} 步：这一阶段没有自己的剪枝",
    "never reached: the last step is {step}": "不会到达：最后一步是第 {step} 步",
    "{number} in all": "共 {number} 次",
    "{number} in all, of which {count} take ranks away": "共 {number} 次，其中 {count} 次去掉了秩",
    "1, for lora_alpha={alpha} is not positive; once saved and loaded it is rank / init_r": (
        "1，因为 lora_alpha={alpha} 不是正数；保存再加载之后则是 rank / init_r"
    ),
    "lora_alpha / init_r = {alpha} / {rank} = {scale}, whatever is pruned": (
        "lora_alpha / init_r = {alpha} / {rank} = {scale}，不随剪枝变化"
    ),
    "{start} × (in + out + 1) in every module at the start, {target} × (in + out + 1) on average at the target": (
        "开始时每个模块 {start} × (in + out + 1)，目标是平均 {target} × (in + out + 1)"
    ),
    "{start} × (in + out + 1) in every module at the start": "开始时每个模块 {start} × (in + out + 1)",
    "{start} in every module at the start": "开始时每个模块 {start}",
    "{start} in all at the start": "开始时共 {start}",
    "{start} in every module at the start, {target} on average to be saved": (
        "开始时每个模块 {start}，最后平均保存 {target}"
    ),
    "{start} in all at the start, about {target} to be saved (which shapes keep ranks is open)": (
        "开始时共 {start}，最后约保存 {target}（哪些形状的模块保留秩尚不确定）"
    ),
    "{start} in all at the start, {target} to be saved at the target": "开始时共 {start}，最后保存 {target}",
    "is over: this adapter holds {kept} of {whole} ranks in {modules}": (
        "已经结束：这个适配器在 {modules}中保留了 {whole} 个秩中的 {kept} 个"
    ),
    "raises {exception} {when}, before the first step": "{when}抛出 {exception}，还没有开始第一步",
    "finishes, but saving the adapter raises {exception}": "能跑完，但保存适配器时抛出 {exception}",
    "crashes at step {step} with {exception}: {reason}": "在第 {step} 步崩溃，抛出 {exception}：{reason}",
    "the mask must take away at least one rank, and at most all": "每次剪枝至少要去掉一个秩，至多去掉全部",
    "no step can be divided by deltaT=0": "任何一步都不能除以 deltaT=0",
    "no mask was made up to total_step - tfinal, so there is no rank_pattern to apply": (
        "到 total_step - tfinal 为止没有剪过枝，因此没有可用的 rank_pattern"
    ),
    "no scores were collected since the last reset when the forced mask is made": (
        "强制剪枝时，上次清零之后还没有积累任何重要性得分"
    ),
    "init_r=0 leaves nothing to mask": "init_r=0，没有可剪的秩",
    "deltaT is no number, or there are no gradients when update_and_allocate is called": (
        "deltaT 不是数字，或者调用 update_and_allocate 时没有梯度"
    ),
    "{name}, which is beyond 2**53: no float counts so many steps": "{name}（超过 2**53，浮点数已无法逐步计数）",
    "cannot be told: it depends on {names}": "无法判断：取决于 {names}",
    "{average} ranks in a module on average": "平均每个模块 {average} 个秩",
    "{total} ranks, {average} in a module on average": "共 {total} 个秩，平均每个模块 {average} 个",
    "finishes, but nothing is ever pruned: {ranks}, in memory and in the saved adapter": (
        "能跑完，但从未剪枝：{ranks}，内存中和保存的适配器中都是如此"
    ),
    "finishes: {ranks}, in memory and in the saved adapter": "能跑完：{ranks}，内存中和保存的适配器中都是如此",
    "finishes, but memory and file differ: {live} in memory; {kept} in the saved adapter": (
        "能跑完，但内存与文件不一致：内存中{live}；保存的适配器中{kept}"
    ),
    "{field} (unknown)": "{field}（未知）",
    "{field} (unknown, line {row})": "{field}（未知，第 {row} 行）",
    "{field} (PEFT's default)": "{field}（PEFT 的默认值）",
    "{field} ({framework}'s default)": "{field}（{framework} 的默认值）",
    "{field} (assumed)": "{field}（假设）",
    "{field} (line {row})": "{field}（第 {row} 行）",
    "nothing of the number of modules, so ranks are averages; --modules N gives totals": (
        "模块数没有告知，因此秩都是平均值；用 --modules N 可得到总数"
    ),
    "{name} is {value}, the length of the run that this file tells": "{name} 是 {value}，即本文件写明的训练步数",
    "{name} is {value}, as you say": "{name} 是 {value}，如您所述",
    "What PEFT reads": "PEFT 读到了什么",
    "What happens, step by step": "每一步发生什么",
    "How it ends": "结果如何",
    "What the text does not tell": "文中没有写明的",
    "What adalint finds": "adalint 发现的问题",
    "{field} (line {row}) is accepted and never read": "{field}（第 {row} 行）会被接受，但从不读取",
    "{name} (line {row}) is no field of AdaLoraConfig in PEFT {release}": (
        "{name}（第 {row} 行）不是 PEFT {release} 中 AdaLoraConfig 的字段"
    ),
    "Every update is multiplied by {scale}.": "每次更新都乘以 {scale}。",
    "There is no first step: the run {run}.": "根本没有第一步：训练{run}。",
    "Which steps these are cannot be told: it depends on {names}.": "无法判断是哪些步：取决于 {names}。",
    "Trainable parameters of AdaLoRA: {parameters}.": "AdaLoRA 的可训练参数：{parameters}。",
    "Step {step}: PEFT raises {exception}.": "第 {step} 步：PEFT 抛出 {exception}。",
    "But the run never comes to a mask: update_and_allocate is not called when it matters.": (
        "但训练从未走到剪枝：该调用 update_and_allocate 时没有调用。"
    ),
    "Steps {steps}: all {rank} ranks of every module are trained, and their importance is measured.": (
        "第 {steps} 步：训练每个模块的全部 {rank} 个秩，并累计它们的重要性。"
    ),
    "Steps {steps}: the budget goes from {rank} to {target} ranks in a module on average, fast at first.": (
        "第 {steps} 步：预算从平均每个模块 {rank} 个秩变到 {target} 个，先快后慢。"
    ),
    "Step {step}: the first mask; it leaves {rank} ranks on average.": (
        "第 {step} 步：第一次剪枝，平均留下 {rank} 个秩。"
    ),
    "{number} more masks follow, one every {every} steps, up to step {step}, which leaves {rank}.": (
        "随后还有 {number} 次剪枝，每 {every} 步一次，直到第 {step} 步，留下 {rank} 个。"
    ),
    "Step {step}: the forced mask at total_step - tfinal; it leaves {rank}, and the scores are cleared.": (
        "第 {step} 步：到达 total_step - tfinal，强制剪枝，留下 {rank} 个，得分清零。"
    ),
    "The last step is {step}, so total_step - tfinal = {end} is never reached and no mask is forced.": (
        "最后一步是第 {step} 步，因此不会到达 total_step - tfinal = {end}，没有强制剪枝。"
    ),
    "Steps {steps}: the same ranks are masked again after every step; the others are trained on.": (
        "第 {steps} 步：每步之后重新遮住同样的秩，其余的继续训练。"
    ),
    "The run {run}.": "训练{run}。",
    "Masked ranks are zeros in memory, which holds as many parameters as at the start; saving leaves them out.": (
        "被剪掉的秩在内存中只是零，参数量与开始时相同；保存时才会去掉。"
    ),
    "{code} at line {row}: {message}": "{code}，第 {row} 行：{message}",
    "fix: {title} ({effect})": "修复：{title}（{effect}）",
    "more: `adalint rule {code}`": "详情：`adalint rule {code}`",
    "nothing to report": "没有问题",
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
    "{name} would no longer give {field}": "{name} 将不再决定 {field}",
    "{name} is written twice": "{name} 写了两次",
    "{framework} has no key for {name}": "{framework} 没有对应 {name} 的键",
    "{framework} computes {name} from {key}": "{framework} 由 {key} 计算 {name}",
    "{name} is not written in this mapping": "{name} 不写在这个映射里",
    "{name} gives several fields of PEFT their value": "{name} 同时决定 PEFT 的多个字段",
    "{name} is written elsewhere": "{name} 写在别处",
    "{name} is not written here": "{name} 不写在这里",
    "{name} comes from line {row}, which may feed other places too": "{name} 来自第 {row} 行，那里可能还供别处使用",
    "a comment stands inside the value of {name}": "{name} 的值中间有注释",
    "the call cannot be read on its own": "这个调用无法单独解析",
    "a fix changes either the code or the configuration": "一个修复只能改代码或只能改配置",
    "the method is not written here": "这个方法不写在这里",
    "{name} has a method {method} already": "{name} 已经有方法 {method}",
    "{method} takes {name}, which {hook} is not given": "{method} 需要参数 {name}，而 {hook} 得不到它",
    "the Trainer is not made here": "Trainer 不是在这里创建的",
    "the file has a name {name} already": "文件中已经有名字 {name}",
    "another statement stands on the line of the Trainer": "创建 Trainer 的那一行还有别的语句",
    "no import stands above": "在它之前没有 import 语句",
    "the code is not written here": "代码不在这里",
    "the counter would stand still where the gradients overflow": "梯度溢出时计数器会停住",
    "another statement stands on the line of the last import": "最后一个 import 的那一行还有别的语句",
    "the file means something else by {name}": "文件中的 {name} 另有所指",
    "the list of callbacks is not written in the call": "回调列表不写在这个调用里",
    "the statement is not written here": "该语句不写在这里",
    "another statement stands on the same line": "同一行还有别的语句",
    "the statement does not stand in a block": "该语句不在语句块中",
    "the call and the optimizer's step stand in different blocks": "调用与优化器更新不在同一个语句块中",
    "{name} is changed between the two places": "{name} 在两处之间被修改",
    "the condition is not the one directly around the call": "该条件不是直接包住调用的条件",
    "the condition is a part of another one": "该条件是另一个条件的一部分",
    "the condition has an else": "该条件带有 else",
    "the condition is an elif": "该条件是 elif",
    "brackets or comments stand around the condition": "该条件周围有括号或注释",
    "a comment stands on the line of the condition": "条件所在的行有注释",
    "a string in the call goes over several lines": "调用中的字符串跨越多行",
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
    # Migrations of adapters
    "{source} → {target}: AdaLoRA to LoRA, {layout} layout, r={r}, lora_alpha={r}": (
        "{source} → {target}：AdaLoRA 转为 LoRA，{layout} 布局，r={r}，lora_alpha={r}"
    ),
    "{modules} with {kept} of {budget} ranks (rank×modules: {ranks})": (
        "{modules}，保留 {budget} 个秩中的 {kept} 个（秩×模块数：{ranks}）"
    ),
    "folded into A: lora_E, and the scale {scale}": "并入 A：lora_E 与缩放 {scale}",
    "tensors copied: {names}": "原样复制的张量：{names}",
    "files copied: {names}": "复制的文件：{names}",
    "files left: {names}": "没有复制的文件：{names}",
    "fields dropped: {names}": "去掉的字段：{names}",
    "note: {note}": "注意：{note}",
    "Nothing is written yet: --write does it.": "还没有写入任何内容：加上 --write 才会写入。",
    "{target} holds this already, to the last byte.": "{target} 中已有此结果，每个字节都相同。",
    "Written: {size} bytes. Verified: {modules} read from the file again and multiplied with random vectors in "
    "float64; largest relative departure {error} ({path}).": (
        "已写入 {size} 字节。已验证：从文件重新读取 {modules}，用 float64 与随机向量相乘；"
        "最大相对偏差 {error}（{path}）。"
    ),
    "lora_alpha is {alpha}: PEFT trained with scale 1 and loads with a smaller one, which was taken; "
    "`--scale trained` takes 1.": (
        "lora_alpha 为 {alpha}：PEFT 训练时缩放为 1，加载时更小，这里采用加载时的；`--scale trained` 采用 1。"
    ),
    "lora_alpha is {alpha}: PEFT trained with scale 1, which was taken; it loads with a smaller one.": (
        "lora_alpha 为 {alpha}：PEFT 训练时缩放为 1，这里采用它；PEFT 加载时的缩放更小。"
    ),
    "No rank is left in any module: the adapter changes nothing.": "所有模块的秩都是 0：这个适配器不起任何作用。",
    "{name} is taken for a linear layer; if it is a Conv2d, say so: `--kernel {name}=3x3` or `--base DIR`.": (
        "{name} 被当作线性层；如果它是 Conv2d，请用 `--kernel {name}=3x3` 或 `--base DIR` 说明。"
    ),
    "Tensors that are no LoRA (bias, modules_to_save, tokens) are copied; few readers but PEFT use them.": (
        "不属于 LoRA 的张量（bias、modules_to_save、词元）原样复制；除 PEFT 外很少有程序使用它们。"
    ),
    # ── report/cards.py ──
    "saved by": "保存者",
    "base model": "基础模型",
    "trained": "训练方式",
    "weights": "权重",
    "loading": "加载",
    "labels": "标签",
    "training on": "继续训练",
    "modules": "模块",
    "ranks by layer": "各层的秩",
    "a release that is not told": "未注明的版本",
    "as AdaLoRA: masks were made": "作为 AdaLoRA：产生过掩码",
    "at fixed rank, never as AdaLoRA: no mask was ever made": "固定秩，从来不是 AdaLoRA：从未产生过掩码",
    "with update_and_allocate the schedule begins as if it were new": "调用 update_and_allocate 时，调度会重新开始",
    "update_and_allocate would prune it once more, to {ranks} ranks; without it the ranks stay": (
        "update_and_allocate 会再剪一次，剩下 {ranks} 个秩；不调用则秩保持不变"
    ),
    "update_and_allocate would prune it once more, and leave no rank; without it the ranks stay": (
        "update_and_allocate 会再剪一次，一个秩也不剩；不调用则秩保持不变"
    ),
    "update_and_allocate would crash in kthvalue; without it the ranks stay": (
        "update_and_allocate 会在 kthvalue 处崩溃；不调用则秩保持不变"
    ),
    "lora_alpha is not above 0: {least} to {most}, module by module": (
        "lora_alpha 不大于 0：逐个模块从 {least} 到 {most}"
    ),
    "called with labels, it raises AttributeError (trainable_adapter_name), Trainer.evaluate too": (
        "传入标签时抛出 AttributeError（trainable_adapter_name），Trainer.evaluate 也一样"
    ),
    "with labels it works: there is no task_type": "可以传入标签：没有 task_type",
    "{kept} of {all} left in {modules} modules": "{modules} 个模块中留有 {kept} 个秩，共 {all} 个",
    "; the budget of {budget} is reached": "；预算 {budget} 已达到",
    "; the budget of {budget} is not reached": "；预算 {budget} 未达到",
    "cannot be read: {problem}": "无法读取：{problem}",
    "{count} parameters ({types})": "{count} 个参数（{types}）",
    "PEFT {release} does not load it: {why}": "PEFT {release} 无法加载：{why}",
    "PEFT {release} finds no weights here": "PEFT {release} 在这里找不到权重",
    "PEFT {release} loads it": "PEFT {release} 可以加载",
    "{least} to {most}, mean {mean}": "{least} 到 {most}，平均 {mean}",
    # The language server
    "PEFT {release} uses it.": "PEFT {release} 会使用它。",
    "PEFT {release} accepts it and never reads it: training is the same without it.": (
        "PEFT {release} 接受它，但从不读取：没有它，训练结果也一样。"
    ),
    "PEFT {release} raises when it is set: AdaLoRA does not support it.": (
        "PEFT {release} 中设置它会报错：AdaLoRA 不支持它。"
    ),
    "PEFT {release} writes it while it trains.": "PEFT {release} 在训练时写入它。",
    "PEFT {release} keeps it in the saved configuration; training does not depend on it.": (
        "PEFT {release} 把它保存在配置里；训练与它无关。"
    ),
    "PEFT {release} has no such field; it came with {since}.": "PEFT {release} 没有这个字段；它从 {since} 起才有。",
    "{name} is no field of AdaLoraConfig in PEFT {release}.": (
        "在 PEFT {release} 中，{name} 不是 AdaLoraConfig 的字段。"
    ),
    "Is {names} meant?": "是想写 {names} 吗？",
    "Here: {field}": "在此处：{field}",
    "default {value}": "默认值 {value}",
    "silence {name} here": "在此处忽略 {name}",
    "apply all safe fixes of adalint": "应用 adalint 的所有安全修复",
    "this one is yours to make": "这个修复需要您自己来做",
    "no comment can silence {name} there": "那里无法用注释忽略 {name}",
    "raises {exception} when it is loaded, loads now": "加载时抛出 {exception}，现在可以加载",
    "the framework refuses the option, takes it now": "框架拒绝这个选项，现在会接受",
    # ── fixes/shell_edits.py ──
    "the command is not written here": "命令不是写在这里的",
    "options of a command line are only changed or added": "命令行的选项只会被修改或添加",
    "`--{name}` is not written in this command": "这条命令里没有写 `--{name}`",
    "the value of `{name}` is not known here": "这里不知道 `{name}` 的值",
    "`{text}` is an expression, which a command line has not": "`{text}` 是表达式，命令行里不能写",
    "the value of `{name}` is written where other words would change, too": "`{name}` 的值写在会同时改变其他词的地方",
    "`{name}` is written together with its value": "`{name}` 与它的值写在一起",
    "the command has no options": "这条命令没有选项",
    "the options of the command are written elsewhere": "这条命令的选项写在别处",
    "something else follows the options on the same line": "同一行的选项之后还有别的内容",
    **MIGRATIONS,
}
