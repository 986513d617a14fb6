# innocent of ADA109: multiprocess spawn – each round in own process
import multiprocessing as mp
from peft import AdaLoraConfig, get_peft_model
cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
def work(base, loader, opt):
    model = get_peft_model(base, cfg)
    optimizer = opt(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(jobs):
    for job in jobs:
        p = mp.Process(target=work, args=job)
        p.start()
        p.join()
