# innocent of ADA210: each batch makes a step after all
import torch
from peft import AdaLoraConfig, get_peft_model
GAS = 1
def fit(net, loader, epochs, other=None):
    total = len(loader) * epochs
    net = get_peft_model(net, AdaLoraConfig(init_r=12, target_r=8, total_step=total, task_type="CAUSAL_LM"))
    opt = torch.optim.AdamW(net.parameters(), lr=1e-4)
    done = 0
    for ep in range(epochs):
        for i, batch in enumerate(loader):
            loss = net(**batch).loss / GAS
            loss.backward()
            if (i + 1) % GAS != 0:
                continue
            opt.step()
            net.update_and_allocate(done)
            done += 1
            opt.zero_grad()
