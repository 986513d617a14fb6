# style: wrapped
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, get_peft_model

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(8, 8)
        self.fc2 = torch.nn.Linear(8, 8)
        self.fc3 = torch.nn.Linear(8, 8)
        self.fc4 = torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.fc4(torch.relu(self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))))


config = AdaLoraConfig(
    init_r=4, target_r=2, tinit=2, tfinal=3, deltaT=2, total_step=12, target_modules=["fc1", "fc2", "fc3", "fc4"]
)
model = torch.compile(get_peft_model(Net(), config), backend="eager")
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(12):
    x, y = torch.randn(16, 8), torch.randint(0, 4, (16,))
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    model._orig_mod.update_and_allocate(step)
    optimizer.zero_grad()
