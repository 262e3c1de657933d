module pop-handler

go 1.24
