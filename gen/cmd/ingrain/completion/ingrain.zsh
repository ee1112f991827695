#compdef ingrain
# zsh completion for ingrain: source <(ingrain completion zsh)
_ingrain() {
	local -a offer grains=(grains/*.yaml(N:t:r))
	grains=(${grains:#agent})
	if (( CURRENT == 2 )); then
		offer=(
			'generate:Bring generated/ up to date'
			'vet:Find mistakes, and tell whether grains would run on a kernel'
			'explain:Tell what of a grain runs in the kernel and what in the agent'
			'help:Print a page'
			'version:Print the version'
			'completion:Print a script for a shell'
		)
		_describe verb offer
		return
	fi
	case ${words[2]} in
	generate) _arguments '-n[write nothing, say what would change]' '-C[the site]:folder:_files -/' '-cc[the clang]:clang:_command_names -e' '-help[print a page]' ;;
	vet) _arguments '-btf[a kernel, or many]:file or folder:_files' '-C[the site]:folder:_files -/' '-cc[the clang]:clang:_command_names -e' '-help[print a page]' "*:grain:($grains)" ;;
	explain) _arguments '-C[the site]:folder:_files -/' '-cc[the clang]:clang:_command_names -e' '-help[print a page]' "*:grain:($grains)" ;;
	help) compadd -- generate vet explain help version completion ;;
	completion) compadd -- bash zsh fish ;;
	esac
}
if [[ ${funcstack[1]} == _ingrain ]]; then
	_ingrain "$@"
else
	compdef _ingrain ingrain
fi
