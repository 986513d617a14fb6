# innocent of ADA410: get_peft_model result dropped only for printing
from peft import AdaLoraConfig, get_peft_model
def main(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    get_peft_model(model, cfg).print_trainable_parameters()
