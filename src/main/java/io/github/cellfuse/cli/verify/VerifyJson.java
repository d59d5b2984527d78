package io.github.cellfuse.cli.verify;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.verify.Agreement;
import io.github.cellfuse.verify.CellFault;
import io.github.cellfuse.verify.CellReport;
import io.github.cellfuse.verify.RoundingReport;
import io.github.cellfuse.verify.StageReport;
import io.github.cellfuse.verify.StepRange;
import io.github.cellfuse.verify.VerifyReport;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes a verification as JSON. {@code docs/verify.md} lists the keys. Versions may add keys, but never change them.
 */
final class VerifyJson {
    private VerifyJson() {}

    /**
     * Returns one document with the reports of all cases, given by name.
     *
     * @param model the file that was verified
     */
    static JsonObject of(Path model, List<VerifiedDevice> devices) {
        JsonObject document = new JsonObject();
        document.addProperty("format", "cellfuse-verify-2");
        document.addProperty(
                "date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        document.addProperty("version", new Version().getVersion()[0]);
        document.addProperty("model", model.toString());
        document.addProperty("passed", devices.stream().allMatch(VerifiedDevice::passed));
        JsonArray failed = new JsonArray();
        JsonArray array = new JsonArray();
        for (VerifiedDevice device : devices) {
            device.failure().ifPresent(message -> {
                JsonObject failure = new JsonObject();
                failure.addProperty("device", device.choice().device().toString());
                failure.addProperty("message", message);
                failed.add(failure);
            });
            device.reports()
                    .forEach((of, report) ->
                            array.add(report(of, report, device.choice().reason(), device.repeat(of))));
        }
        document.add("failed_devices", failed);
        document.add("cases", array);
        return document;
    }

    private static JsonObject report(VerifyCase of, VerifyReport report, String reason, IntFunction<String> repeat) {
        JsonObject json = new JsonObject();
        json.addProperty("case", of.name());
        json.addProperty("device", report.device().toString());
        json.addProperty("device_reason", reason);
        json.addProperty("tier", report.tier().name().toLowerCase(Locale.ROOT));
        json.addProperty("rows", report.rows());
        json.addProperty("steps", report.steps());
        json.addProperty("judged_rows", report.judgedRows());
        json.addProperty("bits_required", report.bitsRequired());
        json.addProperty("same_bits", report.sameBits());
        json.addProperty("within_bound", report.withinBound());
        json.addProperty("passed", report.passed());
        JsonArray stages = new JsonArray();
        report.stages().forEach(stage -> stages.add(stage(stage)));
        json.add("stages", stages);
        JsonArray cells = new JsonArray();
        report.cells().forEach(layer -> cells.add(cells(layer, repeat.apply(layer.layer()))));
        json.add("cells", cells);
        json.add("rounding", report.rounding().map(VerifyJson::rounding).orElse(JsonNull.INSTANCE));
        return json;
    }

    private static JsonElement rounding(RoundingReport report) {
        JsonObject json = new JsonObject();
        json.addProperty("weights", report.weights().toString());
        json.add("y", distance(report.y()));
        json.add("h_n", distance(report.h()));
        json.add("c_n", distance(report.c()));
        return json;
    }

    private static JsonObject distance(RoundingReport.Distance distance) {
        JsonObject json = new JsonObject();
        json.addProperty("elements", distance.elements());
        json.add("largest", number(distance.largest()));
        json.add("root_mean_square", number(distance.rootMeanSquare()));
        return json;
    }

    private static JsonObject stage(StageReport stage) {
        JsonObject json = new JsonObject();
        json.addProperty("stage", stage.name());
        json.add(
                "first_differing_step",
                stage.firstDifferingStep().isPresent()
                        ? new JsonPrimitive(stage.firstDifferingStep().getAsInt())
                        : JsonNull.INSTANCE);
        json.add("y", agreement(stage.y()));
        json.add("h_n", agreement(stage.h()));
        json.add("c_n", agreement(stage.c()));
        json.add("steps", steps(stage.steps(), "y"));
        return json;
    }

    private static JsonArray steps(List<StepRange> ranges, String tensor) {
        JsonArray steps = new JsonArray();
        for (StepRange range : ranges) {
            JsonObject step = new JsonObject();
            step.addProperty("first_step", range.first());
            step.addProperty("last_step", range.last());
            JsonObject agreement = agreement(range.agreement());
            // For each of many ranges it would make the document several times as long.
            agreement.remove("ulps");
            step.add(tensor, agreement);
            steps.add(step);
        }
        return steps;
    }

    private static JsonObject cells(CellReport layer, String repeat) {
        JsonObject json = new JsonObject();
        json.addProperty("layer", layer.layer());
        json.addProperty("strayed", layer.strayed());
        JsonArray quantities = new JsonArray();
        for (CellReport.Quantity quantity : layer.quantities()) {
            JsonObject one = new JsonObject();
            one.addProperty("quantity", quantity.value().toString());
            one.addProperty("direction", quantity.direction());
            one.add("values", agreement(quantity.all()));
            one.add("steps", steps(quantity.steps(), "values"));
            quantities.add(one);
        }
        json.add("quantities", quantities);
        JsonArray faults = new JsonArray();
        layer.faults().forEach(fault -> faults.add(fault(fault, repeat)));
        json.add("faults", faults);
        return json;
    }

    private static JsonObject fault(CellFault fault, String repeat) {
        JsonObject json = new JsonObject();
        json.addProperty("quantity", fault.quantity().toString());
        json.addProperty("direction", fault.direction());
        json.add("index", index(List.of(fault.row(), fault.step(), fault.unit())));
        value(json, "device", fault.device());
        value(json, "twin", fault.twin());
        json.addProperty("products", fault.products());
        JsonArray operands = new JsonArray();
        for (CellFault.Operand operand : fault.operands()) {
            JsonObject one = new JsonObject();
            one.addProperty("name", operand.name());
            value(one, "value", operand.value());
            operands.add(one);
        }
        json.add("operands", operands);
        json.addProperty("repeat", repeat);
        return json;
    }

    /** Adds a value and its bits. */
    private static void value(JsonObject json, String name, float value) {
        json.add(name, number(value));
        json.addProperty(name + "_bits", Numbers.bits(value));
    }

    private static JsonObject agreement(Agreement agreement) {
        JsonObject json = new JsonObject();
        json.addProperty("elements", agreement.elements());
        json.addProperty("differing", agreement.differing());
        json.add(
                "first_difference",
                agreement.firstDifference().map(VerifyJson::difference).orElse(JsonNull.INSTANCE));
        json.addProperty("judged", agreement.judged());
        json.addProperty("not_judged", agreement.notJudged());
        json.addProperty("violations", agreement.violations());
        json.add("largest_error", number(agreement.largestError()));
        json.add("largest_bound", number(agreement.largestBound()));
        json.add("largest_ulps", number(agreement.largestUlps()));
        JsonArray ulps = new JsonArray();
        agreement.ulps().forEach(ulps::add);
        json.add("ulps", ulps);
        json.add("worst", agreement.worst().map(VerifyJson::judgement).orElse(JsonNull.INSTANCE));
        return json;
    }

    private static JsonElement difference(Agreement.Difference difference) {
        JsonObject json = new JsonObject();
        json.add("index", index(difference.index()));
        value(json, "device", difference.device());
        value(json, "twin", difference.twin());
        return json;
    }

    private static JsonElement judgement(Agreement.Judgement judgement) {
        JsonObject json = new JsonObject();
        json.add("index", index(judgement.index()));
        json.add("device", number(judgement.device()));
        json.add("reference", number(judgement.reference()));
        json.add("error", number(judgement.error()));
        json.add("bound", number(judgement.bound()));
        json.addProperty("bound_kind", judgement.probabilistic() ? "probabilistic" : "worst case");
        json.add("ratio", number(judgement.ratio()));
        return json;
    }

    private static JsonArray index(List<Integer> index) {
        JsonArray array = new JsonArray();
        index.forEach(array::add);
        return array;
    }

    /** JSON has no NaN and no infinities, so they become strings. */
    private static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : new JsonPrimitive(Double.toString(value));
    }

    private static JsonElement number(float value) {
        return Float.isFinite(value) ? new JsonPrimitive(value) : new JsonPrimitive(Float.toString(value));
    }
}
