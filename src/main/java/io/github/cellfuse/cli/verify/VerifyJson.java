package io.github.cellfuse.cli.verify;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.verify.Agreement;
import io.github.cellfuse.verify.RoundingReport;
import io.github.cellfuse.verify.StageReport;
import io.github.cellfuse.verify.VerifyReport;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes a verification as JSON. {@code docs/verify.md} lists the keys. Versions may add keys, but never change them.
 */
final class VerifyJson {
    private VerifyJson() {}

    /** Returns one document with the reports of all cases, given by name. */
    static JsonObject of(Map<String, VerifyReport> cases) {
        JsonObject document = new JsonObject();
        document.addProperty("format", "cellfuse-verify-1");
        document.addProperty("passed", cases.values().stream().allMatch(VerifyReport::passed));
        JsonArray array = new JsonArray();
        cases.forEach((name, report) -> array.add(report(name, report)));
        document.add("cases", array);
        return document;
    }

    private static JsonObject report(String name, VerifyReport report) {
        JsonObject json = new JsonObject();
        json.addProperty("case", name);
        json.addProperty("device", report.device().toString());
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
        JsonArray steps = new JsonArray();
        for (StageReport.StepRange range : stage.steps()) {
            JsonObject step = new JsonObject();
            step.addProperty("first_step", range.first());
            step.addProperty("last_step", range.last());
            step.add("y", agreement(range.y()));
            steps.add(step);
        }
        json.add("steps", steps);
        return json;
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
        json.add("worst", agreement.worst().map(VerifyJson::judgement).orElse(JsonNull.INSTANCE));
        return json;
    }

    private static JsonElement difference(Agreement.Difference difference) {
        JsonObject json = new JsonObject();
        json.add("index", index(difference.index()));
        json.add("device", number(difference.device()));
        json.addProperty("device_bits", Numbers.bits(difference.device()));
        json.add("twin", number(difference.twin()));
        json.addProperty("twin_bits", Numbers.bits(difference.twin()));
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
