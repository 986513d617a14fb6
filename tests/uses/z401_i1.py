# innocent of ADA401: head on a frozen adapter
import torch
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, state):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    head = torch.nn.Linear(8, 2)
    optimizer = torch.optim.AdamW(head.parameters())
    for b in loader:
        loss = head(model(**b).last_hidden_state).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
