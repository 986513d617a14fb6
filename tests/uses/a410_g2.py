# guilty of ADA410: diffusers
from diffusers import UNet2DConditionModel
from peft import AdaLoraConfig
unet = UNet2DConditionModel.from_pretrained("x", subfolder="unet")
unet_config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, target_modules=["to_q", "to_v"])
unet.add_adapter(unet_config)
