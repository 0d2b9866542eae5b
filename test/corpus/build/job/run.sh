echo "job done by $(id -un)"
exit 4
