# innocent of ADA210: train args is unused SFT for another stage; LightningModule loader
import lightning as L
from peft import AdaLoraConfig, get_peft_model
def main(model, train_loader, lit):
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader) * 2, task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    L.Trainer(accumulate_grad_batches=1, max_epochs=2).fit(lit(model), train_loader)
