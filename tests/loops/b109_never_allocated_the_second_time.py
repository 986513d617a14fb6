# style: flat
# runs: live 8/16 kept 8/8; memory differs from saved
import torch
from peft import AdaLoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

config = AdaLoraConfig(
    task_type="CAUSAL_LM",
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    total_step=12,
    target_modules=["q_proj", "v_proj"],
)
tiny = LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
teacher = get_peft_model(LlamaForCausalLM(tiny), config)
optimizer = torch.optim.AdamW(teacher.parameters(), lr=1e-2)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    teacher(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    teacher.update_and_allocate(step)
    optimizer.zero_grad()

student = get_peft_model(LlamaForCausalLM(tiny), config)  # expect: ADA109
student_optimizer = torch.optim.AdamW(student.parameters(), lr=1e-2)
for step in range(2):
    ids = torch.randint(0, 32, (2, 8))
    student(input_ids=ids, labels=ids).loss.backward()
    student_optimizer.step()
    student.update_and_allocate(step)
    student_optimizer.zero_grad()
