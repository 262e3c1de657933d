module pop-cluster-dns

go 1.24
