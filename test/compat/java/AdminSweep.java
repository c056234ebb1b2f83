import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.*;
import org.apache.kafka.common.quota.*;
import java.util.*;
import java.util.concurrent.*;

/**
 * Calls of the Admin client, most of them at the edge of what a broker takes; one line each: the answer, or the error's class and text.
 * Arguments: bootstrap servers, the second log folder.
 */
public class AdminSweep { static Admin a;
 static void t(String n, Callable<Object> c){ try { System.out.println(n+" -> "+c.call()); } catch (Throwable e){ Throwable x=e; while(x instanceof ExecutionException && x.getCause()!=null) x=x.getCause(); System.out.println(n+" !! "+x.getClass().getSimpleName()+": "+x.getMessage()); } }
 static Object inc(ConfigResource r, AlterConfigOp... ops) throws Exception { a.incrementalAlterConfigs(Map.of(r, List.of(ops))).all().get(); return "ok"; }
 static AlterConfigOp op(String k,String v,AlterConfigOp.OpType t){return new AlterConfigOp(new ConfigEntry(k,v),t);}
 public static void main(String[] x) throws Exception { Properties p=new Properties(); p.put("bootstrap.servers",x[0]); p.put("client.id","mut"); p.put("default.api.timeout.ms","20000"); p.put("request.timeout.ms","10000"); p.put("retry.backoff.ms","50"); a=Admin.create(p);
 ConfigResource lg=new ConfigResource(ConfigResource.Type.BROKER_LOGGER,"1"), br=new ConfigResource(ConfigResource.Type.BROKER,"1"), all=new ConfigResource(ConfigResource.Type.BROKER,""), gr=new ConfigResource(ConfigResource.Type.GROUP,"g1");
 var S=AlterConfigOp.OpType.SET; var D=AlterConfigOp.OpType.DELETE; var AP=AlterConfigOp.OpType.APPEND;
 t("logger root", ()->a.describeConfigs(List.of(lg)).all().get().get(lg).get("root"));
 t("logger set", ()->inc(lg,op("root","DEBUG",S)));
 t("logger root", ()->a.describeConfigs(List.of(lg)).all().get().get(lg).get("root").value());
 t("logger set bad level", ()->inc(lg,op("root","LOUD",S)));
 t("logger unknown", ()->inc(lg,op("no.such","INFO",S)));
 t("logger delete root", ()->inc(lg,op("root","",D)));
 t("logger append", ()->inc(lg,op("root","INFO",AP)));
 t("logger back", ()->inc(lg,op("root","INFO",S)));
 t("logger other node", ()->inc(new ConfigResource(ConfigResource.Type.BROKER_LOGGER,"7"),op("root","INFO",S)));
 t("topic", ()->{ a.createTopics(List.of(new NewTopic("s1",2,(short)1))).all().get(); return "ok";});
 ConfigResource tp=new ConfigResource(ConfigResource.Type.TOPIC,"s1");
 for (String[] kv: new String[][]{{"retention.ms","1000"},{"cleanup.policy","compact,delete"},{"compression.type","zstd"},{"compression.zstd.level","5"},{"preallocate","true"},{"min.compaction.lag.ms","10"},{"message.timestamp.type","LogAppendTime"},{"segment.bytes","1048576"},{"segment.bytes","10"},{"compression.gzip.level","12"},{"unclean.leader.election.enable","true"},{"nope","1"},{"message.timestamp.after.max.ms","5"},{"cleanup.policy",""},{"remote.storage.enable","true"}})
   t("topic "+kv[0]+"="+kv[1], ()->inc(tp,op(kv[0],kv[1],S)));
 for (String[] kv: new String[][]{{"log.retention.ms","5000"},{"num.io.threads","4"},{"num.network.threads","2"},{"background.threads","5"},{"log.cleaner.threads","2"},{"max.connections","1000"},{"max.connections.per.ip","500"},{"max.connection.creation.rate","1000"},{"message.max.bytes","2000000"},{"log.segment.bytes","1048576"},{"log.roll.ms","100000"},{"num.replica.fetchers","2"},{"log.message.timestamp.type","LogAppendTime"},{"compression.type","lz4"},{"unclean.leader.election.enable","true"},{"log.cleaner.backoff.ms","100"},{"min.insync.replicas","1"},{"num.recovery.threads.per.data.dir","2"},{"remote.log.manager.copy.max.bytes.per.second","100"},{"producer.id.expiration.ms","86400000"},{"transaction.partition.verification.enable","true"},{"leader.replication.throttled.rate","100"},{"node.id","7"},{"offsets.retention.minutes","10"},{"log.retention.ms","x"},{"num.io.threads","0"},{"log.local.retention.ms","-2"},{"follower.replication.throttled.rate","1"},{"replica.alter.log.dirs.io.max.bytes.per.second","1000000"},{"log.preallocate","true"},{"metric.reporters",""}})
  { t("broker "+kv[0]+"="+kv[1], ()->inc(br,op(kv[0],kv[1],S)));
 t("  back", ()->inc(br,op(kv[0],"",D))); }
 t("default log.retention.ms", ()->inc(all,op("log.retention.ms","7000",S)));
 t("  synonyms", ()->{ var e=a.describeConfigs(List.of(tp), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(false)).all().get().get(tp).get("retention.ms"); return e.value()+" "+e.source()+" "+e.synonyms();});
 t("  back", ()->inc(all,op("log.retention.ms","",D)));
 t("group session ok", ()->inc(gr,op("consumer.session.timeout.ms","50000",S)));
 t("group session low", ()->inc(gr,op("consumer.session.timeout.ms","5",S)));
 t("group unknown", ()->inc(gr,op("foo","5",S)));
 t("group describe", ()->{ var c=a.describeConfigs(List.of(gr)).all().get().get(gr); StringBuilder b=new StringBuilder(); for (var e: new TreeMap<String,String>(){{for (var q:c.entries()) put(q.name(), q.value()+"/"+q.source());}}.entrySet()) b.append(e).append(' '); return b;});
 t("list config resources", ()->a.listConfigResources(Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions()).all().get());
 t("log dirs", ()->{ var d=a.describeLogDirs(List.of(1)).allDescriptions().get().get(1); StringBuilder b=new StringBuilder(); for (var e: d.entrySet()) b.append(e.getKey()).append(" err=").append(e.getValue().error()).append(" n=").append(e.getValue().replicaInfos().size()).append("; "); return b;});
 t("move unknown dir", ()->{ a.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("s1",0,1),"/nope")).all().get(); return "ok";});
 t("move unknown topic", ()->{ a.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("zz",0,1),x[1])).all().get(); return "ok";});
 t("move", ()->{ a.alterReplicaLogDirs(Map.of(new TopicPartitionReplica("s1",0,1),x[1],new TopicPartitionReplica("s1",1,1),x[1])).all().get(); Thread.sleep(1500); var d=a.describeReplicaLogDirs(List.of(new TopicPartitionReplica("s1",0,1),new TopicPartitionReplica("s1",1,1))).all().get(); return d;});
 t("mutation quota", ()->{ a.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of("client-id","mut")), List.of(new ClientQuotaAlteration.Op("controller_mutation_rate",1.0))))).all().get(); return "ok";});
 t("big create", ()->{ a.createTopics(List.of(new NewTopic("m1",20,(short)1)), new CreateTopicsOptions().retryOnQuotaViolation(false)).all().get(); return "ok";});
 t("then refused", ()->{ a.createTopics(List.of(new NewTopic("m2",5,(short)1)), new CreateTopicsOptions().retryOnQuotaViolation(false)).all().get(); return "ok";});
 t("partitions refused", ()->{ a.createPartitions(Map.of("m1",NewPartitions.increaseTo(30)), new CreatePartitionsOptions().retryOnQuotaViolation(false)).all().get(); return "ok";});
 t("delete refused", ()->{ a.deleteTopics(List.of("s1"), new DeleteTopicsOptions().retryOnQuotaViolation(false)).all().get(); return "ok";});
 t("retried", ()->{ long t0=System.currentTimeMillis(); a.createTopics(List.of(new NewTopic("m3",1,(short)1))).all().get(); return "ok after s "+Math.round((System.currentTimeMillis()-t0)/1000.0);});
 t("quota off", ()->{ a.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of("client-id","mut")), List.of(new ClientQuotaAlteration.Op("controller_mutation_rate",null))))).all().get(); return "ok";});
 a.close(); } }
