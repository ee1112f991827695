# bash completion for ingrain: source <(ingrain completion bash)
_ingrain() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=""
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W "generate vet explain help version completion" -- "$cur"))
		return
	fi
	case ${prev/#--/-} in
	-C) compopt -o dirnames; return ;;
	-btf) compopt -o default; return ;;
	-cc) COMPREPLY=($(compgen -c clang | sort -u)); return ;;
	esac
	case ${COMP_WORDS[1]} in
	generate) words="-n -C -cc -help" ;;
	vet)
		words="-btf -C -cc -help"
		[[ $cur != -* ]] && words=$(for f in grains/*.yaml; do f=${f##*/}; echo "${f%.yaml}"; done | grep -vx -e agent -e '\*')
		;;
	explain)
		words="-C -cc -help"
		[[ $cur != -* ]] && words=$(for f in grains/*.yaml; do f=${f##*/}; echo "${f%.yaml}"; done | grep -vx -e agent -e '\*')
		;;
	help) words="generate vet explain help version completion" ;;
	completion) words="bash zsh fish" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _ingrain ingrain
