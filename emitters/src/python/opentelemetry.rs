//! OpenTelemetry: its API, the SDK, and what sends spans to a collector.

astgen_pyast::vocabulary! {
    "google.protobuf.json_format": MessageToDict;
    "opentelemetry.context": Context;
    "opentelemetry.exporter.otlp.proto.http.trace_exporter": OTLPSpanExporter;
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2": ExportTraceServiceRequest;
    "opentelemetry.sdk.resources": Resource;
    "opentelemetry.sdk.trace": ReadableSpan, TracerProvider;
    "opentelemetry.sdk.trace.export": BatchSpanProcessor, SimpleSpanProcessor;
    "opentelemetry.sdk.trace.export.in_memory_span_exporter": InMemorySpanExporter;
    "opentelemetry.trace": Span, SpanKind, StatusCode, format_span_id, format_trace_id, get_current_span,
        get_tracer, set_tracer_provider;
    "opentelemetry.trace.propagation.tracecontext": TraceContextTextMapPropagator;
}
