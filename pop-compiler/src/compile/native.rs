//! Documents that are agendas or templates already, not workflows: they are checked by `validate`.
