# For a current Packer only: `packer init packer/plugins.pkr.hcl`. Packer 1.6 has both built in and refuses this block,
# so the template is always named as a file, never as this folder.
packer {
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.1.0"
    }
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.1.0"
    }
  }
}
