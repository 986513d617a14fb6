# guilty of ADA425: helper, adalora mentioned
from peft import PeftModel
def fit(m, loader, optimizer):
    for step, batch in enumerate(loader):
        m(**batch).loss.backward()
        optimizer.step()
        m.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(base, loader, optimizer):
    net = PeftModel.from_pretrained(base, "adalora", is_trainable=True)
    net.train()
    fit(net, loader, optimizer)
