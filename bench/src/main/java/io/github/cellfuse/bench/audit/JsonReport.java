package io.github.cellfuse.bench.audit;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.bench.audit.Instruction.Kind;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** An audit as JSON. Unknown values are null. */
public final class JsonReport {
    private static final Gson GSON =
            new GsonBuilder().serializeNulls().setPrettyPrinting().create();

    private JsonReport() {}

    /** Returns the document, with a newline at its end. */
    public static String text(Audit audit) {
        JsonObject document = new JsonObject();
        document.addProperty("format", "cellfuse-audit-3");
        document.addProperty("clang", audit.compiler());
        document.addProperty("ptxas", audit.assembler().orElse(null));
        JsonArray results = new JsonArray();
        audit.results().forEach(result -> results.add(result(result)));
        document.add("results", results);
        document.add("spirv", spirv(audit));
        JsonArray broken = new JsonArray();
        audit.broken().forEach(broken::add);
        document.add("broken", broken);
        return GSON.toJson(document) + "\n";
    }

    private static JsonObject result(AuditResult result) {
        JsonObject object = new JsonObject();
        object.addProperty("kernel", result.variant().kernel());
        object.addProperty("variant", result.variant().title());
        object.addProperty("target", result.target().name());
        Resources needs = result.resources();
        object.add("registers", number(needs.registers()));
        object.add("scalar_registers", number(needs.scalarRegisters()));
        object.add("spills", number(needs.spills()));
        object.add("scalar_spills", number(needs.scalarSpills()));
        object.addProperty("scratch_bytes", needs.scratchBytes());
        object.addProperty("local_bytes", needs.localBytes());
        object.add("waves", number(result.waves()));
        Mix mix = result.mix();
        object.addProperty("loop", result.loops().isLoop());
        object.addProperty("fmas", mix.fmas());
        object.addProperty("fma_instructions", mix.fmaInstructions());
        object.addProperty("chains", mix.chains());
        object.addProperty("other_vector", mix.vectorOperations() - mix.fmas());
        object.addProperty("not_vector", mix.notVector());
        object.addProperty("fma_share", mix.fmaShare());
        object.addProperty("issue_share", mix.issueShare());
        object.addProperty("loop_local_bytes", mix.bytes(Kind.LOCAL_LOAD) + mix.bytes(Kind.LOCAL_STORE));
        object.add("narrowest_local_load", number(mix.narrowestLocalLoad()));
        object.addProperty("local_accesses", mix.accesses(Kind.LOCAL_LOAD, Kind.LOCAL_STORE));
        loops(object, result.loops());
        object.addProperty("global_accesses", mix.accesses(Kind.GLOBAL_LOAD, Kind.GLOBAL_STORE));
        result.bytesOfCell().ifPresent(bytes -> object.addProperty("bytes_of_cell", bytes));
        return object;
    }

    private static void loops(JsonObject object, Loops loops) {
        object.add("loop_of_k", counts(loops.ofK()));
        object.add("around_loop", counts(loops.ofAround()));
        object.add("executed_of_k", counts(loops.executedOfK()));
        Mix both = loops.both();
        object.add("wide_global_share", number(both.wideShare()));
        object.add("narrowest_global_load", number(both.narrowestGlobalLoad()));
        requests(object, "loop", loops.requests());
        requests(object, "around_loop", loops.requestsAround());
    }

    private static JsonElement counts(Optional<Counts> counts) {
        return counts.<JsonElement>map(each -> {
                    JsonObject object = new JsonObject();
                    object.addProperty("fma", each.fma());
                    object.addProperty("local_loads", each.localLoads());
                    object.addProperty("global_loads", each.globalLoads());
                    object.addProperty("vector", each.vector());
                    object.addProperty("rest", each.rest());
                    return object;
                })
                .orElse(JsonNull.INSTANCE);
    }

    private static void requests(JsonObject object, String where, Optional<Requests> requests) {
        object.addProperty(where + "_loads", requests.map(Requests::loads).orElse(null));
        object.add(
                where + "_sectors_per_needed",
                number(requests.map(Requests::sectorsPerNeeded).orElse(OptionalDouble.empty())));
    }

    /** Returns what is wrong with each variant, null for a valid one; null as a whole if nothing could be checked. */
    private static JsonElement spirv(Audit audit) {
        if (audit.spirv().isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonObject all = new JsonObject();
        audit.spirv().get().forEach((variant, why) -> all.addProperty(variant.toString(), why.orElse(null)));
        return all;
    }

    private static JsonElement number(OptionalDouble value) {
        return value.isPresent() ? new JsonPrimitive(value.getAsDouble()) : JsonNull.INSTANCE;
    }

    private static JsonElement number(OptionalInt value) {
        return value.isPresent() ? new JsonPrimitive(value.getAsInt()) : JsonNull.INSTANCE;
    }
}
