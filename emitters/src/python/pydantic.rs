//! Pydantic and its settings.

astgen_pyast::vocabulary! {
    "pydantic": AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field,
        JsonValue, SecretStr, StrictBool, StrictInt, TypeAdapter, ValidationError, WithJsonSchema,
        field_validator, model_validator;
    "pydantic.json_schema": SkipJsonSchema;
    "pydantic_core": PydanticCustomError, from_json, to_json, to_jsonable_python;
    "pydantic_settings": BaseSettings, NoDecode, SettingsConfigDict;
}
