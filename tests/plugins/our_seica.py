from pywats_client.converters.standard import SeicaXMLConverter


class OurSeica(SeicaXMLConverter):
    @property
    def name(self):
        return "Our Seica"

    def convert(self, source, context):
        result = super().convert(source, context)
        result.metadata["line"] = 3
        return result
