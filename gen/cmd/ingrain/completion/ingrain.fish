# fish completion for ingrain: ingrain completion fish | source
function _ingrain_verb
	set -l words (commandline -opc)
	test "$words[2]" = $argv[1]
end
function _ingrain_grains
	for file in grains/*.yaml
		string replace -r '.*/(.*)\.yaml' '$1' $file
	end | string match -v agent
end
complete -c ingrain -f
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a generate -d 'Bring generated/ up to date'
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a vet -d 'Find mistakes'
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a explain -d 'Tell what runs where'
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a help -d 'Print a page'
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a version -d 'Print the version'
complete -c ingrain -n 'test (count (commandline -opc)) -eq 1' -a completion -d 'Print a script for a shell'
complete -c ingrain -n '_ingrain_verb generate' -o n -d 'Write nothing, say what would change'
complete -c ingrain -n '_ingrain_verb generate; or _ingrain_verb vet; or _ingrain_verb explain' -o C -x -a '(__fish_complete_directories)' -d 'The site'
complete -c ingrain -n '_ingrain_verb generate; or _ingrain_verb vet; or _ingrain_verb explain' -o cc -x -a '(__fish_complete_command)' -d 'The clang'
complete -c ingrain -n '_ingrain_verb generate; or _ingrain_verb vet; or _ingrain_verb explain' -o help -d 'Print a page'
complete -c ingrain -n '_ingrain_verb vet' -o btf -r -F -d 'A kernel, or many'
complete -c ingrain -n '_ingrain_verb vet; or _ingrain_verb explain' -a '(_ingrain_grains)'
complete -c ingrain -n '_ingrain_verb help' -a 'generate vet explain help version completion'
complete -c ingrain -n '_ingrain_verb completion' -a 'bash zsh fish'
