environment "x" {
  description = "${upper("a")} %{ if true }b%{ else }c%{ endif } %{ for k, v in { a = 1 } }${k}=${v}%{ endfor }"
}
locals {
  a = [for x in range(3) : x * 2 if x != 1]
  b = { for k, v in { a = 1, b = 2 } : "k-${k}" => v + 1 }
  c = local.b["k-a"] > 1 ? local.a[0] : length(local.a) % 2
  d = <<-EOT
    one ${local.c}
      two
  EOT
  e = [{ n = 1 }, { n = 2 }][*].n
  f = merge({ a = [1, 2] }, jsondecode("{\"b\": null}"))
  g = try(tonumber("x"), coalesce(null, "y"))
  h = !(1 == 2) && (-3 < 4 || false)
  i = cidrhost("10.0.0.0/8", 5)
  j = format("%05d %-5s|%q %v", 42, "a", "b", [1])
  k = toset(concat(["a"], split(",", "b,c")))
}
