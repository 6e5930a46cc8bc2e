def f(row, tenant):
    if tenant is None:
        raise TenancyError("no tenant is bound")
    if g:
        if row.organization_id != tenant:
            raise TenancyError("The row belongs to another tenant")
