# innocent of ADA414: set_adapter & LoRA second => ValueError too, though other rule
from peft import AdaLoraConfig, LoraConfig, get_peft_model
def a(model):
    model = get_peft_model(model, LoraConfig(r=8))
    model.add_adapter("two", AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
