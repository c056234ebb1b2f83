import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Answers cases of transforms and converters (one JSON line each) with what the real classes do; the form is that of test/golden/connect. */
public class PluginCases {
  static final ObjectMapper JSON = new ObjectMapper();
  static final JsonNodeFactory NODES = new JsonNodeFactory(true);

  static class PhaseError extends Exception {
    final String phase;
    PhaseError(String phase, Throwable cause) {
      super(cause);
      this.phase = phase;
    }
  }
  interface Step<T> {
    T run() throws Throwable;
  }
  static <T> T during(String phase, Step<T> step) throws PhaseError {
    try {
      return step.run();
    } catch (Throwable t) {
      throw new PhaseError(phase, t);
    }
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      if (line.isBlank()) continue;
      ObjectNode answer;
      try {
        JsonNode request = JSON.readTree(line);
        JsonNode c = request.get("case");
        answer = request.get("kind").asText().equals("smt") ? transformCase(c) : converterCase(c);
      } catch (Throwable t) {
        answer = NODES.objectNode().put("failure", t.toString());
      }
      out.println(JSON.writeValueAsString(answer));
      out.flush();
    }
  }

  static Map<String, Object> config(JsonNode node) {
    Map<String, Object> map = new HashMap<>();
    if (node != null) node.fields().forEachRemaining(e -> map.put(e.getKey(), e.getValue().asText()));
    return map;
  }
  static ObjectNode described(Throwable t) {
    ObjectNode node = NODES.objectNode().put("class", t.getClass().getName()).put("message", t.getMessage());
    return node;
  }
  static ObjectNode error(PhaseError e) {
    ObjectNode d = described(e.getCause());
    Throwable cause = e.getCause().getCause();
    if (cause != null) d.set("cause", described(cause));
    ObjectNode node = NODES.objectNode().put("phase", e.phase);
    node.setAll(d);
    ObjectNode wrapped = NODES.objectNode();
    wrapped.set("error", node);
    return wrapped;
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static ObjectNode transformCase(JsonNode c) {
    ObjectNode answer = NODES.objectNode();
    boolean many = c.has("inputs");
    try {
      Transformation transform = during("configure", () -> {
        Transformation t = (Transformation) Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
        t.configure(config(c.get("config")));
        return t;
      });
      JsonNode spec = c.hasNonNull("predicate") ? c.get("predicate") : null;
      Predicate predicate = spec == null ? null : during("configure", () -> {
        Predicate p = (Predicate) Class.forName(spec.get("class").asText()).getDeclaredConstructor().newInstance();
        p.configure(config(spec.get("config")));
        return p;
      });
      boolean negate = spec != null && spec.hasNonNull("negate") && spec.get("negate").asBoolean();
      if (many) {
        ArrayNode outputs = answer.putArray("outputs");
        for (JsonNode input : c.get("inputs")) outputs.add(one(transform, predicate, negate, input));
      } else answer.set("output", one(transform, predicate, negate, c.get("input")));
      transform.close();
    } catch (PhaseError e) {
      answer.set(many ? "outputs" : "output", error(e));
    }
    return answer;
  }
  @SuppressWarnings({"unchecked", "rawtypes"})
  static JsonNode one(Transformation transform, Predicate predicate, boolean negate, JsonNode input) {
    ConnectRecord record = recordFrom(input);
    try {
      if (predicate != null && during("predicate", () -> predicate.test(record)) == negate) return recordTo(record);
      ConnectRecord result = (ConnectRecord) during("apply", () -> transform.apply(record));
      return result == null ? NODES.textNode("dropped") : recordTo(result);
    } catch (PhaseError e) {
      return error(e);
    }
  }

  static ObjectNode converterCase(JsonNode c) {
    ObjectNode answer = NODES.objectNode();
    try {
      String name = c.get("class").asText();
      boolean header = c.path("header").asBoolean(false);
      Object made = during("configure", () -> {
        Object o = Class.forName(name).getDeclaredConstructor().newInstance();
        Map<String, Object> config = config(c.get("config"));
        if (header || !(o instanceof Converter)) {
          config.put("converter.type", "header");
          ((HeaderConverter) o).configure(config);
        } else ((Converter) o).configure(config, c.path("isKey").asBoolean(false));
        return o;
      });
      JsonNode input = c.get("input");
      boolean to = c.get("direction").asText().equals("toConnect");
      JsonNode output = during("convert", () -> {
        if (to) {
          byte[] bytes = bytesIn(input);
          SchemaAndValue sv = header || !(made instanceof Converter)
              ? ((HeaderConverter) made).toConnectHeader("topic", "header", bytes)
              : ((Converter) made).toConnectData("topic", bytes);
          if (sv == null) return NODES.nullNode();
          ObjectNode node = NODES.objectNode();
          node.set("schema", schemaTo(sv.schema()));
          node.set("value", valueTo(sv.value()));
          return node;
        }
        Schema schema = schemaFrom(input.get("schema"));
        Object value = valueFrom(input.get("value"), schema);
        byte[] bytes = header || !(made instanceof Converter)
            ? ((HeaderConverter) made).fromConnectHeader("topic", "header", schema, value)
            : ((Converter) made).fromConnectData("topic", schema, value);
        ObjectNode node = NODES.objectNode();
        if (bytes == null) node.putNull("bytes");
        else node.put("bytes", Base64.getEncoder().encodeToString(bytes)).put("utf8", new String(bytes, StandardCharsets.UTF_8));
        return node;
      });
      answer.set("output", output);
    } catch (PhaseError e) {
      answer.set("output", error(e));
    }
    return answer;
  }
  static byte[] bytesIn(JsonNode n) {
    if (n == null || n.isNull()) return null;
    if (n.hasNonNull("bytes")) return Base64.getDecoder().decode(n.get("bytes").asText());
    return n.hasNonNull("utf8") ? n.get("utf8").asText().getBytes(StandardCharsets.UTF_8) : null;
  }

  static Schema schemaFrom(JsonNode o) {
    if (o == null || o.isNull()) return null;
    Schema.Type type = Schema.Type.valueOf(o.get("type").asText());
    SchemaBuilder b;
    switch (type) {
      case ARRAY -> b = SchemaBuilder.array(schemaFrom(o.get("valueSchema")));
      case MAP -> b = SchemaBuilder.map(schemaFrom(o.get("keySchema")), schemaFrom(o.get("valueSchema")));
      default -> b = SchemaBuilder.type(type);
    }
    if (type == Schema.Type.STRUCT) for (JsonNode f : o.get("fields")) b.field(f.get("name").asText(), schemaFrom(f.get("schema")));
    if (o.path("optional").asBoolean(false)) b.optional();
    if (o.hasNonNull("name")) b.name(o.get("name").asText());
    if (o.hasNonNull("version")) b.version(o.get("version").asInt());
    if (o.hasNonNull("doc")) b.doc(o.get("doc").asText());
    if (o.hasNonNull("parameters")) o.get("parameters").fields().forEachRemaining(e -> b.parameter(e.getKey(), e.getValue().asText()));
    if (o.hasNonNull("default")) b.defaultValue(valueFrom(o.get("default"), b));
    return b.build();
  }
  static Object valueFrom(JsonNode v, Schema schema) {
    if (v == null || v.isNull()) return null;
    if (v.isTextual()) return v.asText();
    if (v.isBoolean()) return v.asBoolean();
    Map.Entry<String, JsonNode> e = v.fields().next();
    JsonNode n = e.getValue();
    switch (e.getKey()) {
      case "int8": return (byte) n.asInt();
      case "int16": return (short) n.asInt();
      case "int32": return n.asInt();
      case "int64": return Long.parseLong(n.asText());
      case "float32": return Float.parseFloat(n.asText());
      case "float64": return Double.parseDouble(n.asText());
      case "decimal": return new BigDecimal(n.asText());
      case "bigint": return new BigInteger(n.asText());
      case "bytes": return Base64.getDecoder().decode(n.asText());
      case "date": return new java.util.Date(n.asLong());
      case "list": {
        List<Object> list = new ArrayList<>();
        for (JsonNode x : n) list.add(valueFrom(x, schema == null ? null : schema.valueSchema()));
        return list;
      }
      case "map": {
        Map<Object, Object> map = new HashMap<>();
        boolean typed = schema != null && schema.type() == Schema.Type.MAP;
        for (JsonNode x : n) map.put(valueFrom(x.get(0), typed ? schema.keySchema() : null), valueFrom(x.get(1), typed ? schema.valueSchema() : null));
        return map;
      }
      case "struct": {
        Struct s = new Struct(schema instanceof SchemaBuilder b ? b.build() : schema);
        for (Field f : schema.fields()) if (n.hasNonNull(f.name())) s.put(f, valueFrom(n.get(f.name()), f.schema()));
        return s;
      }
      default: throw new IllegalArgumentException("tag " + e.getKey());
    }
  }
  static JsonNode schemaTo(Schema s) {
    if (s == null) return NODES.nullNode();
    ObjectNode o = NODES.objectNode().put("type", s.type().name()).put("optional", s.isOptional());
    if (s.name() != null) o.put("name", s.name());
    if (s.version() != null) o.put("version", s.version());
    if (s.doc() != null) o.put("doc", s.doc());
    if (s.defaultValue() != null) o.set("default", valueTo(s.defaultValue()));
    if (s.parameters() != null) {
      ObjectNode p = o.putObject("parameters");
      s.parameters().forEach(p::put);
    }
    switch (s.type()) {
      case STRUCT -> {
        ArrayNode fields = o.putArray("fields");
        for (Field f : s.fields()) fields.addObject().put("name", f.name()).set("schema", schemaTo(f.schema()));
      }
      case MAP -> {
        o.set("keySchema", schemaTo(s.keySchema()));
        o.set("valueSchema", schemaTo(s.valueSchema()));
      }
      case ARRAY -> o.set("valueSchema", schemaTo(s.valueSchema()));
      default -> { }
    }
    return o;
  }
  static JsonNode tagged(String tag, JsonNode v) {
    ObjectNode o = NODES.objectNode();
    o.set(tag, v);
    return o;
  }
  /** The shortest decimal that is this float; Float.toString before Java 19 sometimes has a digit too many. */
  static double shortest(float f) {
    for (int digits = 1; digits < 9; digits++) {
      BigDecimal d = new BigDecimal(f).round(new java.math.MathContext(digits));
      if (d.floatValue() == f) return d.doubleValue();
    }
    return Double.parseDouble(Float.toString(f));
  }
  static JsonNode valueTo(Object v) {
    if (v == null) return NODES.nullNode();
    if (v instanceof String s) return NODES.textNode(s);
    if (v instanceof Boolean b) return NODES.booleanNode(b);
    if (v instanceof Byte b) return tagged("int8", NODES.numberNode(b));
    if (v instanceof Short b) return tagged("int16", NODES.numberNode(b));
    if (v instanceof Integer b) return tagged("int32", NODES.numberNode(b));
    if (v instanceof Long b) return tagged("int64", NODES.textNode(b.toString()));
    if (v instanceof Float f)
      return tagged("float32", f.isNaN() || f.isInfinite() ? NODES.textNode(f.toString()) : NODES.numberNode(shortest(f)));
    if (v instanceof Double f) return tagged("float64", f.isNaN() || f.isInfinite() ? NODES.textNode(f.toString()) : NODES.numberNode(f));
    if (v instanceof BigDecimal d) return tagged("decimal", NODES.textNode(d.toPlainString()));
    if (v instanceof BigInteger d) return tagged("bigint", NODES.textNode(d.toString()));
    if (v instanceof byte[] d) return tagged("bytes", NODES.textNode(Base64.getEncoder().encodeToString(d)));
    if (v instanceof ByteBuffer d) {
      byte[] bytes = new byte[d.remaining()];
      d.duplicate().get(bytes);
      return tagged("bytes", NODES.textNode(Base64.getEncoder().encodeToString(bytes)));
    }
    if (v instanceof java.util.Date d) return tagged("date", NODES.numberNode(d.getTime()));
    if (v instanceof List<?> l) {
      ArrayNode a = NODES.arrayNode();
      for (Object x : l) a.add(valueTo(x));
      return tagged("list", a);
    }
    if (v instanceof Map<?, ?> m) {
      ArrayNode a = NODES.arrayNode();
      m.forEach((k, x) -> a.add(NODES.arrayNode().add(valueTo(k)).add(valueTo(x))));
      return tagged("map", a);
    }
    if (v instanceof Struct s) {
      ObjectNode o = NODES.objectNode();
      for (Field f : s.schema().fields()) o.set(f.name(), valueTo(s.getWithoutDefault(f.name())));
      return tagged("struct", o);
    }
    return tagged("other", NODES.textNode(v.getClass().getName()));
  }

  static ConnectRecord<?> recordFrom(JsonNode r) {
    Schema ks = schemaFrom(r.path("key").get("schema")), vs = schemaFrom(r.path("value").get("schema"));
    Object key = valueFrom(r.path("key").get("value"), ks), value = valueFrom(r.path("value").get("value"), vs);
    ConnectHeaders headers = new ConnectHeaders();
    for (JsonNode h : r.path("headers")) {
      Schema s = schemaFrom(h.get("schema"));
      headers.add(h.get("key").asText(), new SchemaAndValue(s, valueFrom(h.get("value"), s)));
    }
    Integer partition = r.hasNonNull("partition") ? r.get("partition").asInt() : null;
    Long timestamp = r.hasNonNull("timestamp") ? r.get("timestamp").asLong() : null;
    String topic = r.hasNonNull("topic") ? r.get("topic").asText() : null;
    if (r.path("recordType").asText().equals("sink"))
      return new SinkRecord(topic, partition == null ? 0 : partition, ks, key, vs, value, r.path("offset").asLong(0), timestamp, TimestampType.CREATE_TIME, headers);
    return new SourceRecord(Map.of(), Map.of(), topic, partition, ks, key, vs, value, timestamp, headers);
  }
  static JsonNode recordTo(ConnectRecord<?> r) {
    ObjectNode o = NODES.objectNode().put("recordType", r instanceof SinkRecord ? "sink" : "source").put("topic", r.topic());
    o.put("partition", r.kafkaPartition());
    o.putObject("key").set("schema", schemaTo(r.keySchema()));
    ((ObjectNode) o.get("key")).set("value", valueTo(r.key()));
    o.putObject("value").set("schema", schemaTo(r.valueSchema()));
    ((ObjectNode) o.get("value")).set("value", valueTo(r.value()));
    o.put("timestamp", r.timestamp());
    ArrayNode headers = o.putArray("headers");
    for (Header h : r.headers()) {
      ObjectNode n = headers.addObject().put("key", h.key());
      n.set("schema", schemaTo(h.schema()));
      n.set("value", valueTo(h.value()));
    }
    if (r instanceof SinkRecord s) o.put("offset", s.kafkaOffset());
    return o;
  }
}
