# guilty of ADA410: transformers add_adapter with name, class
from peft import AdaLoraConfig
from transformers import AutoModelForSequenceClassification as A, Trainer
def main(args, ds):
    model = A.from_pretrained("bert-base-uncased")
    model.add_adapter(adapter_config=AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="ada")
    Trainer(model=model, args=args, train_dataset=ds).train()
