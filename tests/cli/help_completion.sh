lathe help --completion >completion
bash -c '. ./completion
COMP_WORDS=(lathe pre); COMP_CWORD=1; _lathe; echo "${COMPREPLY[@]}"
COMP_WORDS=(lathe predict --hea); COMP_CWORD=2; _lathe; echo "${COMPREPLY[@]}"
COMP_WORDS=(lathe predict --dtype q8); COMP_CWORD=3; _lathe; echo "${COMPREPLY[@]}"
COMP_WORDS=(lathe predict --device iphone-13-); COMP_CWORD=3; _lathe; echo "${COMPREPLY[@]}"'
