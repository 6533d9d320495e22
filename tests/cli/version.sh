lathe --version
