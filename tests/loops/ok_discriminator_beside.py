# style: optimizers
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
generator = get_peft_model(Net(), config)
discriminator = torch.nn.Linear(4, 1)
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-2)
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
for step in range(12):
    noise = torch.randn(16, 8)
    g_optimizer.zero_grad()
    g_loss = -discriminator(generator(noise)).mean()
    g_loss.backward()
    g_optimizer.step()

    d_optimizer.zero_grad()
    d_loss = discriminator(generator(noise).detach()).mean() - discriminator(torch.randn(16, 4)).mean()
    d_loss.backward()
    d_optimizer.step()
    generator.update_and_allocate(step)
