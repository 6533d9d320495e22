# A name longer than any file may have is refused to everyone, root too.
lathe search --budget 125M --device iphone-13 --db "$(printf '%0256d' 0)"
