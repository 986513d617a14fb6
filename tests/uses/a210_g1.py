# guilty of ADA210: lightning
import lightning as L
from peft import AdaLoraConfig, get_peft_model
class Lit(L.LightningModule):
    def __init__(self, base, train_loader):
        super().__init__()
        cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(train_loader) * 2, task_type="CAUSAL_LM")
        self.model = get_peft_model(base, cfg)
    def training_step(self, batch, i):
        return self.model(**batch).loss
    def on_before_zero_grad(self, optimizer):
        self.model.base_model.update_and_allocate(self.global_step)
def main(base, train_loader):
    L.Trainer(accumulate_grad_batches=8, max_epochs=2).fit(Lit(base, train_loader), train_loader)
