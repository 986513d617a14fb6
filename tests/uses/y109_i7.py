# innocent of ADA109: loop over OOM batch sizes, break on success
from peft import AdaLoraConfig, get_peft_model
def train(model, loader, optimizer):
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(make, mk_loader, opt):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    for bs in (64, 32, 16):
        try:
            m = get_peft_model(make(), cfg)
            train(m, mk_loader(bs), opt(m))
            break
        except RuntimeError:
            continue
