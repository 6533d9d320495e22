lathe inspect mobilellm-125m --dtype q4_0 --head-dtype q8_0 --kv-dtype f32 --context 0 |
    grep -E 'type|weights|kv cache|context'
