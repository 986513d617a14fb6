# innocent of ADA419: contextlib.suppress
import contextlib
from peft import AdaLoraConfig, get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
with contextlib.suppress(TypeError):
    model.add_weighted_adapter(["default"], [0.5], "half")
