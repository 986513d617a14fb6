# innocent of ADA426: other object (namespace) called config
from peft import AdaLoraConfig, get_peft_model
def main(base, args):
    config = args
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = get_peft_model(base, cfg)
    config.target_r = 4
    return model
