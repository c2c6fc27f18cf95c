# Turns a base disk into the appliance: boots it in QEMU and runs the playbook over ssh.
# Written in the part of HCL that Packer 1.6 (Debian 12) and current ones both read.

variable "base_disk" {
  type        = string
  description = "Raw or QCOW2 disk to start from; it is copied, not changed."
}
variable "work" {
  type        = string
  description = "Folder with the seed and the ssh key of this bake; packer/build makes it."
}
variable "output" {
  type        = string
  description = "Folder for the baked disk; must not exist."
}
variable "accelerator" {
  type    = string
  default = "tcg"
}
variable "cpu" {
  type    = string
  default = "Nehalem"
}

variable "repository" {
  type        = string
  default     = ""
  description = "Address of the apt repository from which the appliance takes its own updates; empty: none."
}

source "qemu" "appliance" {
  vm_name              = "appliance.qcow2"
  output_directory     = var.output
  disk_image           = true
  iso_url              = var.base_disk
  iso_checksum         = "none"
  format               = "qcow2"
  disk_size            = "8G"
  disk_interface       = "virtio"
  disk_cache           = "unsafe"
  disk_discard         = "unmap"
  skip_compaction      = true
  net_device           = "virtio-net"
  accelerator          = var.accelerator
  cpus                 = 2
  memory               = 2048
  headless             = true
  cd_files             = ["${var.work}/user-data", "${var.work}/meta-data", "dist/apt"]
  cd_label             = "cidata"
  qemuargs             = [["-cpu", var.cpu], ["-device", "virtio-rng-pci"], ["-serial", "file:${var.work}/serial.log"]]
  communicator         = "ssh"
  ssh_username         = "bake"
  ssh_private_key_file = "${var.work}/key"
  ssh_timeout          = "15m"
  shutdown_command     = "sudo /usr/local/sbin/bake-seal"
}

build {
  sources = ["source.qemu.appliance"]

  # Until cloud-init is done it may restart sshd and hold apt's lock. The seed's CD carries the packages too.
  provisioner "shell" {
    inline = [
      "sudo cloud-init status --wait >/dev/null || sudo cloud-init status --long",
      "sudo mount -o ro /dev/disk/by-label/cidata /mnt",
    ]
  }
  provisioner "ansible" {
    playbook_file    = "ansible/appliance.yml"
    user             = "bake"
    use_proxy        = false
    extra_arguments  = ["--scp-extra-args", "'-O'", "-e", "wats_repository=${var.repository}"]
    ansible_env_vars = ["ANSIBLE_PIPELINING=1", "ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_NOCOWS=1", "ANSIBLE_CALLBACKS_ENABLED=profile_tasks"]
  }
}
