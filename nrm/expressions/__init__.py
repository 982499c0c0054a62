"""The one small expression language of gateways, forms, decision tables and multi-instance."""
