"""What the migrations of texts say, in Simplified Chinese; see words_zh.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MIGRATIONS: Final[Mapping[str, str]] = {
    # ── cli/migrate_texts.py ──
    "{place}: done: {note}": "{place}：已完成：{note}",
    "{place}: would be done: {note}": "{place}：将会：{note}",
    "{place}: left: {note}": "{place}：留给您：{note}",
    "{files} written, {number} left for you.": "已写入 {files}，留给您 {number} 处。",
    "{files} to write, {number} left for you.": "将写入 {files}，留给您 {number} 处。",
    # ── All of them ──
    "not moved: {reason}": "未迁移：{reason}",
    "{flag} becomes {to}": "{flag} 改为 {to}",
    # ── peft_release.py, ms_swift.py ──
    "the project pins ms-swift {release}: raise the pin first": "项目固定在 ms-swift {release}：请先提高固定的版本",
    "PEFT {release} does not know {name}={value}, and raises TypeError": (
        "PEFT {release} 不认识 {name}={value}，会抛出 TypeError"
    ),
    "{name} is not taken out: {reason}": "没有去掉 {name}：{reason}",
    "{name} is taken out: PEFT {release} does not know it": "去掉 {name}：PEFT {release} 不认识它",
    # ── lora_schedule.py, lora_to_adalora.py ──
    "allocator-never-called: a callback calls it": "allocator-never-called：由回调来调用",
    "allocator-never-called: a callback calls it, and sets the schedule when training begins": (
        "allocator-never-called：由回调来调用，并在训练开始时设定调度"
    ),
    "missing-total-step: the schedule is set above the loop, which makes {length} steps": (
        "missing-total-step：在循环之前设定调度，循环共 {length} 步"
    ),
    "allocator-never-called: optimizer_step calls it": "allocator-never-called：由 optimizer_step 来调用",
    "allocator-never-called: optimizer_step calls it, on_train_start sets the schedule": (
        "allocator-never-called：由 optimizer_step 来调用，on_train_start 设定调度"
    ),
    "an AdaLoraConfig of this file would be changed with it; `adalint fix` mends that one first": (
        "此文件中的一个 AdaLoraConfig 也会随之改变；请先用 `adalint fix` 修好它"
    ),
    "what trains this model is not seen, or not followed, in this file: nothing would call the allocator": (
        "这个文件里看不到或无法追踪训练该模型的代码：不会有人调用分配器"
    ),
    "the model is trained in several places, and a schedule is for one run": (
        "模型在多处训练，而一份调度只对应一次训练"
    ),
    "the model is trained again and again, and a schedule is for one run": ("模型被反复训练，而一份调度只对应一次训练"),
    "the model is wrapped under a condition only, and a run without it has no allocator to call": (
        "只有满足某个条件时才包装模型，不满足时就没有可调用的分配器"
    ),
    "what the Trainer is told does not show where the allocator could be called, or how long it trains": (
        "从 Trainer 的参数看不出可以在哪里调用分配器，或训练多长"
    ),
    "the loop does not show one place below the optimizer's step for the allocator's call, or may run again": (
        "循环中找不到优化器更新之后唯一一处可以调用分配器的位置，或者循环可能会再次运行"
    ),
    "the loop does not tell its length: it may end early or skip rounds, or goes through what has no length": (
        "从循环看不出它的长度：可能提前结束、跳过某些轮次，或者遍历的对象没有长度"
    ),
    "LoraConfig becomes AdaLoraConfig: {ranks}": "LoraConfig 改为 AdaLoraConfig：{ranks}",
    "init_r={first}, target_r={last}; its scale, {alpha} over {rank}, is over init_r now": (
        "init_r={first}, target_r={last}；缩放原为 {alpha} 除以 {rank}，现在除以 init_r"
    ),
    "the root of r": "r 的平方根",
    "arguments are given that the call does not show by name": "有些参数在调用中没有写明名称",
    "r={rank} is no rank": "r={rank} 不是秩",
    "the class comes here in a way that is not followed": "无法追踪这个类是怎样来到这里的",
    # ── loralib_allocator.py ──
    "no RankAllocator is made in this file, and one configuration of PEFT says all of it": (
        "这个文件没有创建 RankAllocator，而 PEFT 要用一份配置写明全部内容"
    ),
    "a second RankAllocator": "有第二个 RankAllocator",
    "the allocator is not assigned to one name": "分配器没有赋给单独一个名字",
    "the allocator is made anew in a loop, and forgets what it has measured": (
        "分配器在循环中反复创建，会丢掉已累计的重要性"
    ),
    "target_total_rank={text} is a sum; PEFT's target_r is it divided by the adapted modules": (
        "target_total_rank={text} 是总和；PEFT 的 target_r 是它除以适配的模块数"
    ),
    "this update_and_mask is called on something that does not lead to the allocator": (
        "调用这个 update_and_mask 的对象追溯不到分配器"
    ),
    "update_and_mask is not called in this file": "这个文件没有调用 update_and_mask",
    "{name} is not always the allocator": "{name} 不总是分配器",
    "the allocator is used in a way that PEFT has nothing for": "分配器有一种用法在 PEFT 中没有对应",
    "what update_and_mask returns is used; PEFT's update_and_allocate returns nothing": (
        "用到了 update_and_mask 的返回值；PEFT 的 update_and_allocate 不返回任何值"
    ),
    "{text} is not told to be the model that the allocator got": "无法确定 {text} 就是交给分配器的那个模型",
    "PEFT has nothing for {method}; rank_pattern of the configuration holds the masks": (
        "PEFT 没有与 {method} 对应的方法；掩码保存在配置的 rank_pattern 中"
    ),
    "a second Trainer is handed the allocator": "分配器还交给了第二个 Trainer",
    "the allocator is handed to something that this file does not show": "分配器交给了这个文件里看不到的代码",
    "the allocator is handed to a function with starred parameters": "分配器交给了带星号参数的函数",
    # ── loralib_branches.py, loralib_deciding.py ──
    "it shares its line with something else": "同一行还有别的语句",
    "its branches cannot be folded: {error}": "无法合并它的分支：{error}",
    "its branches cannot be folded one by one": "无法逐个合并它的分支",
    # ── loralib_config.py ──
    "set_total_step is called more than once": "set_total_step 被调用不止一次",
    "total_step is told nowhere in this file": "这个文件里没有写明 total_step",
    # ── loralib_elsewhere.py ──
    "{file} imports from {file_}": "{file} 从 {file_} 导入",
    "{file} reads {text}, which may be of {file_}": "{file} 读取 {text}，它可能来自 {file_}",
    "{file} has {name}, too": "{file} 中也有 {name}",
    "{file} may start it, and is not among the files that are read": "{file} 可能会启动它，却不在所读的文件之中",
    "{name} is {name_} now": "{name} 现在是 {name_}",
    "{name} is no flag now": "{name} 现在不再是选项",
    # ── loralib_fields.py, loralib_parser.py, loralib_reading.py, loralib_handed.py ──
    "the parser is asked elsewhere": "解析器在别处被使用",
    "the parser takes more than its dataclasses tell": "解析器接受的内容多于它的数据类所写明的",
    "{name} is defined twice": "{name} 定义了两次",
    "{name} is not made by the parser alone": "{name} 不只由解析器创建",
    "the parser is handed on, or asked for more than its objects": "解析器被传给别处，或者除取得对象之外还有别的用途",
    "what the parser gives is not parted into its objects": "解析器给出的结果没有拆分成各个对象",
    "{text} goes where its flags are not seen": "{text} 传到了看不到其选项的地方",
    "a second parser": "有第二个解析器",
    "the parser takes more than its add_argument tell": "解析器接受的内容多于它的 add_argument 所写明的",
    "this add_argument is not told to be of the parser": "无法确定这个 add_argument 属于该解析器",
    "the parser has no name": "解析器没有名字",
    "{name} is not always the parser": "{name} 不总是解析器",
    "the parser is handed on": "解析器被传给别处",
    "the parser is used by {name}, too": "解析器还被 {name} 使用",
    "this add_argument does not show what it adds": "这个 add_argument 没有写明它添加的选项",
    "{name} is not always what the parser gives": "{name} 不总是解析器给出的结果",
    "{text} may be read where this is not seen": "{text} 可能在看不到的地方被读取",
    "what the parser gives is returned to callers that are not seen": "解析器给出的结果返回给了看不到的调用者",
    "{text} is handed to {called}, where its flags are not seen": "{text} 传给了 {called}，在那里看不到其选项",
    "a call": "一个调用",
    "{file} reads {flag}, too, which would not only get another name": (
        "{file} 也读取 {flag}，而这个选项不只是换一个名字"
    ),
    # ── loralib_flags.py ──
    "{flag} becomes AdaLoraConfig and get_peft_model, in a script that uses PEFT": (
        "{flag} 改为在使用 PEFT 的脚本中写 AdaLoraConfig 和 get_peft_model"
    ),
    "{flag} becomes nothing: AdaLoRA in PEFT is always what loralib calls svd": (
        "{flag} 不再需要：PEFT 中的 AdaLoRA 总是 loralib 所说的 svd"
    ),
    "target_r, divided by the number of adapted modules": "target_r，要除以适配的模块数",
    "tfinal, which is a number of steps at the end as well": "tfinal，同样是末尾的步数",
    "lora_alpha, which is divided by the initial rank as well": "lora_alpha，同样会除以初始的秩",
    "target_modules, a list of the names that the modules have in your model": (
        "target_modules，即您的模型中各模块名称的列表"
    ),
    "{flag} becomes nothing: the published scripts know only --apply_adalora, and end with an error here": (
        "{flag} 不再需要：公开的脚本只认识 --apply_adalora，遇到它会报错退出"
    ),
    "{flag} becomes nothing: PEFT does not write ranks to TensorBoard": (
        "{flag} 不再需要：PEFT 不把秩写入 TensorBoard"
    ),
    "orth_reg_weight, which PEFT adds to outputs.loss of a model with a task_type": (
        "orth_reg_weight，PEFT 会把这一项加到带 task_type 的模型的 outputs.loss 中"
    ),
    "orth_reg_weight=1.0: run_summarization_no_trainer.py takes the number as a switch, and adds the penalty "
    "as it is": ("orth_reg_weight=1.0：run_summarization_no_trainer.py 把这个数当作开关，正则项不乘权重直接相加"),
    "flags that are not given have defaults in loralib's script that PEFT does not have: {defaults}": (
        "没有给出的选项在 loralib 的脚本中有默认值，与 PEFT 的不同：{defaults}"
    ),
    "{total} steps leave none between the first {first} and the last {last}: loralib refuses it, and so does an "
    "AdaLoraConfig that is made with them, but not one that gets its total_step later": (
        "共 {total} 步，在前 {first} 步与后 {last} 步之间一步不剩：loralib 会拒绝，"
        "用这些值创建的 AdaLoraConfig 也会拒绝，但之后才得到 total_step 的不会"
    ),
    # ── loralib_fork.py ──
    "whether the model has layers of AdaLoRA is left to {name}: {text}": (
        "模型是否含有 AdaLoRA 的层取决于 {name}：{text}"
    ),
    "{name} of the layers is not told here": "这里没有写明各层的 {name}",
    "the configurations of the model differ in {name}": "模型的各份配置中 {name} 不同",
    # ── loralib_launches.py, loralib_words.py ──
    "{file}: {text} stands where no command is seen": "{file}：{text} 所在之处看不到命令",
    "{file} starts a script whose name is not known": "{file} 启动的脚本名称未知",
    "{file} starts one of several scripts of the name {name}": "有几个脚本都叫 {name}，{file} 启动其中之一",
    "{file} starts {name} by an alias": "{file} 通过别名启动 {name}",
    "{file} starts {name} by {command}, which adds words of its own": (
        "{file} 通过 {command} 启动 {name}，而后者会添加自己的参数"
    ),
    "{file}: what {started} hands these flags to is not seen": "{file}：看不到 {started} 把这些选项交给谁",
    "{file} hands on words that are not known": "{file} 传递了未知的参数",
    "{file}: {text} may hold flags of the script": "{file}：{text} 中可能有脚本的选项",
    "{file}: {name} is no option of the parser as it is written": "{file}：{name} 照这样写不是解析器的选项",
    "{file}: {name} is the opposite of a flag": "{file}：{name} 是某个选项的反面",
    "{given} goes": "去掉 {given}",
    "{file}: {text} is written where other words would change, too": "{file}：{text} 写在会同时改变其他词的地方",
    "{file}: two changes fall on the same words": "{file}：两处修改落在同样的词上",
    "{file}: other words would change, too": "{file}：其他词也会改变",
    # ── loralib_layers.py ──
    "fan_in_fan_out: the weight is kept transposed, as nn.Linear does not": (
        "fan_in_fan_out：权重以转置形式保存，而 nn.Linear 不是这样"
    ),
    "SVDLinear without r is no adapter": "没有 r 的 SVDLinear 不是适配器",
    "the layers differ in {name} ({texts}); AdaLoRA has one": "各层的 {name} 不同（{texts}）；AdaLoRA 只有一个",
    "the name of this module is not told by the code: target_modules cannot be written": (
        "代码中看不出这个模块的名称：无法写出 target_modules"
    ),
    "{name} is a plain layer here: PEFT would adapt it, too": "{name} 在这里是普通的层：PEFT 也会适配它",
    # ── loralib_listing.py ──
    "{name} is get_peft_model(model, config), which freezes the rest of the model as well": (
        "{name} 对应 get_peft_model(model, config)，它同样会冻结模型的其余部分"
    ),
    "{name} is orth_reg_weight={weight}, which PEFT adds to outputs.loss of a model with a task_type; "
    "beside any other loss it has to stay": (
        "{name} 对应 orth_reg_weight={weight}，PEFT 会把这一项加到带 task_type 的模型的 outputs.loss 中；"
        "如果用的是别的损失，就必须保留"
    ),
    "{name} is model.save_pretrained(folder)": "{name} 对应 model.save_pretrained(folder)",
    "SVDLinear is nn.Linear and {entries} of PEFT's configuration": (
        "SVDLinear 对应 nn.Linear，以及 PEFT 配置的 {entries}"
    ),
    "{names} in target_modules": "target_modules 中的 {names}",
    "its name": "它的名称",
    "RankAllocator is AdaLoraConfig({fields})": "RankAllocator 对应 AdaLoraConfig({fields})",
    "update_and_mask(model, step) is model.update_and_allocate(step), in the same place": (
        "update_and_mask(model, step) 对应 model.update_and_allocate(step)，位置不变"
    ),
    # ── loralib_moving.py ──
    "loralib refuses a run that is not longer than its first and last phase together; here nothing does": (
        "训练若不长于初始与最终两个阶段之和，loralib 会拒绝；这里不会有任何检查"
    ),
    "rankallocator, model_args and tb_writter go: loralib's copy of transformers, whose Trainer takes them, gives way "
    "to transformers 4.42 or newer, which calls on_optimizer_step": (
        "去掉 rankallocator、model_args 和 tb_writter：只有 loralib 自带的 transformers 的 Trainer 接受它们；"
        "请改用会调用 on_optimizer_step 的 transformers 4.42 或更新版本"
    ),
    "with task_type={task} PEFT trains and saves the head of the model, too": (
        "有了 task_type={task}，PEFT 也会训练并保存模型的输出头"
    ),
    "no SVDLinear stands in this file, so that target_modules and lora_alpha are not known": (
        "这个文件里没有 SVDLinear，因此无从得知 target_modules 和 lora_alpha"
    ),
    "RankAllocator becomes AdaLoraConfig: {fields}": "RankAllocator 改为 AdaLoraConfig：{fields}",
    "compute_orth_regu stays in the loss: PEFT adds it to outputs.loss of a model with a task_type alone": (
        "compute_orth_regu 留在损失中：PEFT 只把它加到带 task_type 的模型的 outputs.loss 中"
    ),
    "compute_orth_regu goes: PEFT adds it to outputs.loss, in evaluation, too (orth_reg_weight={weight})": (
        "去掉 compute_orth_regu：PEFT 会把它加到 outputs.loss 中，评估时也一样（orth_reg_weight={weight}）"
    ),
    "{text} is called beside the layers, and not where the model is trained": (
        "{text} 在定义各层的文件中调用，而不是在训练模型的地方"
    ),
    "SVDLinear becomes {linear}; every module of these names gets an adapter: {targets}": (
        "SVDLinear 改为 {linear}；凡是叫这些名称的模块都会加上适配器：{targets}"
    ),
    "what a star imports is not followed: name what is used": "无法追踪用星号导入的内容：请写明用到的名称",
    "{text} has nothing of its kind in PEFT's AdaLoRA": "PEFT 的 AdaLoRA 中没有与 {text} 对应的东西",
    "PEFT cuts to the last budget at total_step - tfinal; loralib one step later, unless deltaT divides it": (
        "PEFT 在第 total_step - tfinal 步剪到最终预算；loralib 晚一步，除非 deltaT 能整除它"
    ),
    "PEFT cuts to the last budget at step {step}, loralib one step later, by the same scores": (
        "PEFT 在第 {step} 步剪到最终预算，loralib 晚一步，得分相同"
    ),
    # ── loralib_names.py ──
    "{name}: arguments are given that the call does not show by name": "{name}：有些参数在调用中没有写明名称",
    "{called} has more arguments than loralib's": "{called} 的参数多于 loralib 中的",
    "{called} of loralib knows no {name}": "loralib 的 {called} 没有参数 {name}",
    "{called} without {names} raises TypeError": "{called} 缺少 {names}，会抛出 TypeError",
    # ── loralib_pairs.py ──
    "its allocator is made in {file}, which stays": "它的分配器在 {file} 中创建，而该文件没有迁移",
    "its layers are made in {file}, which stays": "它的层在 {file} 中创建，而该文件没有迁移",
    "the layers of {file} are used by {file_}, too": "{file} 的层也被 {file_} 使用",
    "{text} is not told to have its layers from {file}, and from there alone": (
        "无法确定 {text} 的层来自且仅来自 {file}"
    ),
    "a second model with the layers of {file}": "有第二个模型使用 {file} 的层",
    "{text} is not known in {file}, where the configuration has to stand": (
        "配置必须写在 {file} 中，而那里不知道 {text}"
    ),
    # ── loralib_place.py ──
    "the model has no name that could stand for the wrapped one": "模型没有可以代表包装之后模型的名字",
    "this loop goes by names of the model that PEFT's does not have any more": (
        "这个循环依赖模型中的名称，而 PEFT 的模型不再有这些名称"
    ),
    "{text} is not known where the configuration has to stand": "配置必须写在那里，而那里不知道 {text}",
    "the model is made after the place where PEFT has to make its parameters": (
        "PEFT 必须创建参数的位置在模型创建之前"
    ),
    "nothing in this file freezes the rest of the model, which loralib trains and PEFT does not": (
        "这个文件没有冻结模型的其余部分，loralib 会训练它们，而 PEFT 不会"
    ),
    "a second mark_only_lora_as_trainable": "有第二个 mark_only_lora_as_trainable",
    "the result of mark_only_lora_as_trainable is used": "用到了 mark_only_lora_as_trainable 的返回值",
    "another model is marked than the allocator gets": "标记的模型与交给分配器的不是同一个",
    "parameters with other names than lora may be trained as well: {names}": (
        "名称中没有 lora 的参数可能也会训练：{names}"
    ),
    "{name} is wrapped in a function, and its caller goes on with what is not wrapped": (
        "{name} 在函数中被包装，而调用者继续使用未包装的模型"
    ),
    "the parameters are taken, or changed, before the place where PEFT makes them": (
        "在 PEFT 创建参数的位置之前，参数已被取用或修改"
    ),
    "the model is handed on before the place where PEFT makes its parameters": (
        "在 PEFT 创建参数的位置之前，模型已传给别处"
    ),
    # ── loralib_program.py, loralib_together.py ──
    "the flags keep their names: {reason}": "选项保留原名：{reason}",
    "{name} names slots of loralib's models; target_modules of PEFT lists the names that the modules have in your "
    "model": "{name} 写的是 loralib 模型中的位置名；PEFT 的 target_modules 列出您的模型中各模块的名称",
    "branches that the flags decide are written as the launch lines decide them": (
        "由选项决定的分支，已按启动命令的取值写定"
    ),
    "{name} goes: {reason}": "去掉 {name}：{reason}",
    "PEFT's model is always of AdaLoRA": "PEFT 的模型总是 AdaLoRA",
    "no launch line gives it": "没有启动命令给出它",
    "--reg_orth_coef keeps its name: what the script asks of it is whether it is given, and no weight alone": (
        "--reg_orth_coef 保留原名：脚本还要看它是否给出，而不仅仅是一个权重"
    ),
    "{flag} becomes {to}: so it has to on launch lines elsewhere": "{flag} 改为 {to}：别处的启动命令也要这样改",
    "{name} is read as {to}: the flag is called so now": "{name} 改为读取 {to}：选项现在叫这个名字",
    "{name} has two names": "{name} 有两个名字",
    "{name} is a name already": "{name} 这个名字已经存在",
    "{text} is not written in one piece": "{text} 不是写成一整段的",
    "what this add_argument gives is used": "用到了这个 add_argument 的返回值",
    "two changes fall on the same words": "两处修改落在同样的词上",
    "{text} stands in an f-string, and not only as a value": "{text} 写在 f-string 中，而且不只是作为值",
    # ── loralib_remains.py ──
    "weights or biases of a module are trained alone: modules_to_save are whole modules": (
        "只训练某个模块的权重或偏置：而 modules_to_save 只能是整个模块"
    ),
    "weights that may be tied are trained: PEFT would train a copy of them": (
        "训练的权重可能是共享的：PEFT 会训练它们的副本"
    ),
    "{text} is kept by loralib's Trainer alone": "只有 loralib 的 Trainer 才保留 {text}",
    "{text} is told to loralib's layers, and the configuration loses it": (
        "{text} 是给 loralib 的层的，配置中将不再有它"
    ),
    "{text} is a tensor in loralib, and a dictionary of adapters in PEFT": (
        "{text} 在 loralib 中是张量，在 PEFT 中是按适配器索引的字典"
    ),
    "update_and_mask is called twice with one step: PEFT raises at the last cut": (
        "同一步调用了两次 update_and_mask：PEFT 在最后一次剪枝时会抛出异常"
    ),
    "PEFT's names go on after {text}: this finds nothing there": (
        "PEFT 的名称在 {text} 之后还有后缀：在那里什么也找不到"
    ),
    # ── loralib_saving.py, loralib_texts.py ──
    "lora_state_dict is used otherwise than in torch.save(…, path); PEFT has save_pretrained": (
        "lora_state_dict 不是用在 torch.save(…, path) 中；PEFT 用 save_pretrained"
    ),
    "what was a file is a folder with an adapter now: PeftModel.from_pretrained reads it": (
        "原来是一个文件，现在是装着适配器的文件夹：用 PeftModel.from_pretrained 读取"
    ),
    "this saved the whole model, and saves the adapter now": "原来保存整个模型，现在只保存适配器",
    "loralib wrote the ranks to TensorBoard; PEFT does not": "loralib 把秩写入 TensorBoard；PEFT 不会",
    "{name} is a field of TrainingArguments in loralib's copy of transformers alone": (
        "只有 loralib 自带的 transformers 中，{name} 才是 TrainingArguments 的字段"
    ),
    "tensors that loralib saved have other names in PEFT, and strict=False passes over them": (
        "loralib 保存的张量在 PEFT 中名称不同，strict=False 会略过它们"
    ),
    "what is trained beside the adapter is saved with it where modules_to_save names it alone": (
        "适配器之外还训练的部分，只有写进 modules_to_save 才会一起保存"
    ),
    "this saves the whole model under PEFT's names; save_pretrained saves the adapter": (
        "这里以 PEFT 的名称保存整个模型；save_pretrained 只保存适配器"
    ),
    "the callbacks are listed elsewhere": "回调列表写在别处",
    "loralib is imported within a function or a condition": "loralib 是在函数或条件语句中导入的",
    "two changes fall on line {row}": "两处修改落在第 {row} 行",
}
