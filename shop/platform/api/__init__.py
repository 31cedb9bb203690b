"""What API resources of every feature are made of: strict bodies, problems, fields, and the register OpenAPI is written from."""
